import { createHash } from 'node:crypto'
import { ErrorReply } from 'redis'

/** The part of a client that runs scripts. */
export interface ScriptRunner {
  eval(script: string, options: ScriptOptions): Promise<unknown>
  evalSha(sha1: string, options: ScriptOptions): Promise<unknown>
}

interface ScriptOptions {
  readonly keys: string[]
  readonly arguments: string[]
}

/** A Lua script: sent by its hash, and in full if the server does not know it yet. */
export class Script {
  readonly #text: string
  readonly #sha: string

  constructor(text: string) {
    this.#text = text
    this.#sha = createHash('sha1').update(text).digest('hex')
  }

  async run(runner: ScriptRunner, key: string, args: readonly string[]): Promise<unknown> {
    const options = { keys: [key], arguments: [...args] }
    try {
      return await runner.evalSha(this.#sha, options)
    } catch (error) {
      if (error instanceof ErrorReply && error.message.startsWith('NOSCRIPT')) {
        return await runner.eval(this.#text, options)
      }
      throw error
    }
  }
}
