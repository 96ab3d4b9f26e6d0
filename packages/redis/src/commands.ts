import { checkPolicy } from './policy.ts'
import type { RedisClient } from './primary.ts'
import type { ScriptRunner } from './script.ts'
import { deadline } from './timeout.ts'

/**
 * The commands that a broker sends with the application's client. None is to be pending once the broker is closed:
 * `close()` of the client waits for pending ones, for ever if its connection is lost meanwhile.
 */
export class Commands {
  readonly #client: RedisClient
  readonly #key: string
  /** Commands without a reply yet. */
  readonly #pending = new Set<Promise<unknown>>()
  readonly #errands = new Set<AbortController>()
  #checked: Promise<void> | undefined
  #closed = false

  /** @param key - the key that scripts are sent with */
  constructor(client: RedisClient, key: string) {
    this.#client = client
    this.#key = key
  }

  /** Runs scripts, once Redis is known to be able to keep a log; the signal withdraws commands that were not sent yet. */
  async runner(signal: AbortSignal): Promise<ScriptRunner> {
    const runner = this.#follow(this.#client.withCommandOptions({ abortSignal: signal }))
    this.#checked ??= checkPolicy(runner, this.#key)
    await this.#checked.catch((error) => {
      this.#checked = undefined
      throw error
    })
    return runner
  }

  /** Runs something that nobody waits for, for at most `time` milliseconds, and not after {@link close}. */
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

  /** Withdraws the commands of errands that were not sent yet. */
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
