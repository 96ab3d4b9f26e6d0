import { checkPolicy } from './policy.ts'
import type { RedisClient } from './primary.ts'
import type { ScriptRunner } from './script.ts'
import { deadline } from './timeout.ts'

/**
 * What a broker asks of Redis over the application's client. None of it is left there in the end: a client that is closed
 * waits for whatever is pending, and once its connection is lost meanwhile, it does so for ever.
 */
export class Commands {
  readonly #client: RedisClient
  readonly #key: string
  /** Those that are sent, or about to be. */
  readonly #pending = new Set<Promise<unknown>>()
  readonly #errands = new Set<AbortController>()
  #checked: Promise<void> | undefined
  #closed = false

  /** @param key - the one that scripts are sent with */
  constructor(client: RedisClient, key: string) {
    this.#client = client
    this.#key = key
  }

  /** What runs scripts, on a Redis that can keep a log; withdraws those that are not sent by the time of the signal. */
  async runner(signal: AbortSignal): Promise<ScriptRunner> {
    const runner = this.#follow(this.#client.withCommandOptions({ abortSignal: signal }))
    this.#checked ??= checkPolicy(runner, this.#key)
    await this.#checked.catch((error) => {
      this.#checked = undefined
      throw error
    })
    return runner
  }

  /** Does what nobody waits for, for so many milliseconds at most, and not beyond the end. */
  async errand(time: number, act: (runner: ScriptRunner) => Promise<unknown>): Promise<void> {
    const abort = new AbortController()
    const cancel = deadline(time, () => abort.abort())
    this.#errands.add(abort)
    if (this.#closed) abort.abort()
    try {
      await act(await this.runner(abort.signal))
    } finally {
      cancel()
      this.#errands.delete(abort)
    }
  }

  /** Withdraws the errands that are not sent. */
  close(): void {
    this.#closed = true
    for (const errand of this.#errands) errand.abort()
  }

  /** Resolves when nothing is pending. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending)
  }

  #follow(runner: ScriptRunner): ScriptRunner {
    const follow = async (reply: Promise<unknown>): Promise<unknown> => {
      this.#pending.add(reply)
      return await reply.finally(() => this.#pending.delete(reply))
    }
    return {
      eval: (script, options) => follow(runner.eval(script, options)),
      evalSha: (sha, options) => follow(runner.evalSha(sha, options)),
    }
  }
}
