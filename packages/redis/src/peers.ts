import { AsyncResource } from 'node:async_hooks'
import { CallQueue } from './call-queue.ts'
import { Census, type Report } from './census.ts'
import { Script, type ScriptRunner } from './script.ts'

export interface PeersOptions {
  /** Identifies this process. */
  readonly id: string
  /** The key that scripts are sent with. */
  readonly key: string
  /** The topic on which processes hear each other. */
  readonly topic: string
  /** How often counts are reported, if any process asks for them, in milliseconds. */
  readonly interval: number
  /** How long sending may take, in milliseconds. */
  readonly timeout: number
  /** Provides what runs scripts. */
  runner(signal: AbortSignal): Promise<ScriptRunner>
  /** Subscribes to the topic. */
  listen(): Promise<void>
  /** How many readers a channel has here. */
  size(channel: string): number
  /** Ends the connections of a channel's readers here. */
  disconnect(channel: string): void
}

/** A message between processes. It is not stored: only processes that are subscribed get it. */
interface Saying extends Report {
  readonly from: string
  /** The channel whose readers are to be disconnected. */
  readonly disconnect?: string
}

const sayScript: Script = new Script(`#!lua flags=allow-oom
for i = 2, #ARGV do redis.call('PUBLISH', ARGV[1], ARGV[i]) end
return 1
`)

/** The most messages, and characters, of one call. */
const LIMIT = { limit: 128, weight: 512 * 1024 }

/** The other processes of the hub: counts their readers, and makes them disconnect some. */
export class Peers {
  readonly #options: PeersOptions
  readonly #census: Census
  readonly #sayings: CallQueue<string, true>
  /** The timer must not run in the async context of the request that asked first. */
  readonly #context = new AsyncResource('SsePeers')
  #rounds: NodeJS.Timeout | undefined
  #saying = false
  #closed = false

  constructor(options: PeersOptions) {
    const { key, timeout, topic } = options
    this.#options = options
    this.#census = new Census(options.size)
    this.#sayings = new CallQueue({
      ...LIMIT,
      timeout,
      stores: false,
      weigh: (text) => text.length,
      async call(texts, _sequence, signal) {
        await sayScript.run(await options.runner(signal), key, [topic, ...texts])
        return texts.map(() => true)
      },
    })
  }

  /** About how many readers a channel has in the other processes; begins to ask them. */
  size(channel: string): number {
    const count = this.#census.elsewhere(channel)
    this.#start()
    return count
  }

  /** @throws {@link SseError} `ERR_SSE_BROKER` when time is up */
  async disconnect(channel: string): Promise<void> {
    await this.#say({ disconnect: channel })
  }

  /** Handles a message of any process. */
  hear(text: string): void {
    const saying: Saying = JSON.parse(text)
    const { disconnect, from } = saying
    if (from === this.#options.id) return
    if (disconnect !== undefined) this.#options.disconnect(disconnect)
    this.#census.hear(from, saying)
    if (this.#census.wanted) this.#start()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#rounds)
    const farewell = this.#census.leave()
    if (farewell !== undefined) this.#say(farewell).catch(() => {})
    await this.#sayings.close()
  }

  #start(): void {
    if (this.#rounds !== undefined || this.#closed) return
    this.#context.runInAsyncScope(() => {
      this.#rounds = setInterval(() => this.#next(), this.#options.interval).unref()
      // The first round begins at once, after all sizes that are read in this turn.
      setImmediate(() => this.#next())
    })
  }

  #next(): void {
    // The last message is still being sent: Redis is unreachable.
    if (this.#saying || this.#closed) return
    // A process without readers may not be subscribed yet; the next round tries again if this fails.
    this.#options.listen().catch(() => {})
    const news = this.#census.next()
    if (news !== undefined) {
      this.#saying = true
      this.#say(news)
        // A later round repeats it.
        .catch(() => {})
        .finally(() => {
          this.#saying = false
        })
    }
    if (this.#census.wanted) return
    clearInterval(this.#rounds)
    this.#rounds = undefined
  }

  async #say(saying: Omit<Saying, 'from'>): Promise<void> {
    await this.#sayings.add(JSON.stringify({ from: this.#options.id, ...saying }))
  }
}
