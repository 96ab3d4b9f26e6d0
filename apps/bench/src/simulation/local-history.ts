import type { SimulatedRedis } from './redis.ts'

/** Channels that @sse/redis reads in one call. */
const CHANNELS_A_CALL = 50

interface Waiting {
  readonly channels: readonly string[]
  readonly done: (inTime: boolean) => void
}

/**
 * A process's copies of the channels that it serves, as @sse/redis keeps them: a channel is read once, by one call at a
 * time, and readers that come meanwhile wait for the same call.
 */
export class LocalHistory {
  readonly #redis: SimulatedRedis
  readonly #copies = new Set<string>()
  #wanted = new Set<string>()
  #waiting: Waiting[] = []
  #reading = false

  constructor(redis: SimulatedRedis) {
    this.#redis = redis
  }

  /** Takes these channels as read. */
  know(channels: readonly string[]): void {
    for (const channel of channels) this.#copies.add(channel)
  }

  /** @param done - called with whether all of them could be read in time */
  read(channels: readonly string[], done: (inTime: boolean) => void): void {
    const missing = channels.filter((channel) => !this.#copies.has(channel))
    if (missing.length === 0) {
      done(true)
      return
    }
    for (const channel of missing) this.#wanted.add(channel)
    this.#waiting.push({ channels: missing, done })
    if (!this.#reading) this.#call()
  }

  /** The last reader of a channel has left. */
  forget(channel: string): void {
    this.#copies.delete(channel)
  }

  #call(): void {
    this.#reading = this.#wanted.size > 0
    if (!this.#reading) return
    const asked = [...this.#wanted].slice(0, CHANNELS_A_CALL)
    this.#redis.read(asked.length, (inTime) => {
      for (const channel of asked) {
        this.#wanted.delete(channel)
        if (inTime) this.#copies.add(channel)
      }
      const waiting = this.#waiting
      this.#waiting = []
      for (const one of waiting) {
        if (one.channels.some((name) => this.#wanted.has(name))) this.#waiting.push(one)
        else one.done(one.channels.every((name) => this.#copies.has(name)))
      }
      this.#call()
    })
  }
}
