import { AsyncResource } from 'node:async_hooks'
import { CallQueue } from './call-queue.ts'
import { Census, type Report } from './census.ts'
import { Script, type ScriptRunner } from './script.ts'

export interface PeersOptions {
  /** Tells this process from the others. */
  readonly id: string
  /** The key with which scripts are sent, and the topic on which processes hear each other. */
  readonly key: string
  readonly topic: string
  /** How often counts are told, where somebody asks for them, in milliseconds. */
  readonly interval: number
  /** How long saying something may take, in milliseconds. */
  readonly timeout: number
  /** What runs scripts. */
  runner(signal: AbortSignal): Promise<ScriptRunner>
  /** Begins to hear the others. */
  listen(): Promise<void>
  /** How many readers a channel has here. */
  size(channel: string): number
  /** Ends the connections of a channel's readers here. */
  disconnect(channel: string): void
}

/** What is said among processes. None of it is stored: who does not listen does not hear it. */
interface Saying extends Report {
  readonly from: string
  /** The channel whose readers are to be disconnected. */
  readonly disconnect?: string
}

const sayScript: Script = new Script(`#!lua flags=allow-oom
for i = 2, #ARGV do redis.call('PUBLISH', ARGV[1], ARGV[i]) end
return 1
`)

/** Of one call: sayings and bytes. */
const LIMIT = { limit: 128, weight: 512 * 1024 }

/** The other processes of the hub: counts their readers, and has them disconnect some. */
export class Peers {
  readonly #options: PeersOptions
  readonly #census: Census
  readonly #sayings: CallQueue<string, true>
  /** Nobody's in particular: not of the request that asked first. */
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

  /** Takes note of what somebody has said. */
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
      // The first round does not wait; it comes when all has been looked at that is in this turn.
      setImmediate(() => this.#next())
    })
  }

  #next(): void {
    // Redis is away.
    if (this.#saying || this.#closed) return
    // A process without readers listens to none of its channels; and what fails is tried again in the next round.
    this.#options.listen().catch(() => {})
    const news = this.#census.next()
    if (news !== undefined) {
      this.#saying = true
      this.#say(news)
        // What was not heard is repeated in a later round.
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
