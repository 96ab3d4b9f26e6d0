import { type Costs, LATENCY } from './costs.ts'
import type { Timeline } from './timeline.ts'

/** How long @sse/redis waits for a reading, in milliseconds: its default. */
const TIMEOUT = 5_000

/** Redis as far as it is read from: one call after the other. */
export class SimulatedRedis {
  /** Calls that were made. */
  reads = 0
  /** How long a call waited at most, in milliseconds. */
  longest = 0
  readonly #timeline: Timeline
  readonly #costs: Costs
  readonly #fleets: number
  #free = 0

  /** @param fleets - how many fleets like the one that is simulated ask it at the same time */
  constructor(timeline: Timeline, costs: Costs, fleets: number) {
    this.#timeline = timeline
    this.#costs = costs
    this.#fleets = fleets
  }

  /** Reads so many channels. @param done - is told whether they came in time */
  read(channels: number, done: (inTime: boolean) => void): void {
    const { redisCall, redisChannel, redisShare } = this.#costs
    const { now } = this.#timeline
    this.reads += 1
    const free =
      Math.max(this.#free, now) + ((redisCall + channels * redisChannel) * this.#fleets) / redisShare
    const wait = free - now + LATENCY.redis
    this.longest = Math.max(this.longest, Math.min(wait, TIMEOUT))
    if (wait <= TIMEOUT) {
      this.#free = free
      this.#timeline.after(wait, () => done(true))
      return
    }
    // Given up before its turn comes.
    this.#timeline.after(TIMEOUT, () => done(false))
  }
}
