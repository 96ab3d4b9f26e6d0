import { type Costs, LATENCY } from './costs.ts'
import type { Timeline } from './timeline.ts'

/** How long @sse/redis waits for a reading, in milliseconds: its default. */
const TIMEOUT = 5_000

/** The reading side of Redis: one call after the other. */
export class SimulatedRedis {
  /** Calls that were made. */
  reads = 0
  /** The longest that a call took, in milliseconds. */
  longest = 0
  readonly #timeline: Timeline
  readonly #costs: Costs
  readonly #fleets: number
  #free = 0

  /** @param fleets - how many fleets like the simulated one read from it at the same time */
  constructor(timeline: Timeline, costs: Costs, fleets: number) {
    this.#timeline = timeline
    this.#costs = costs
    this.#fleets = fleets
  }

  /** Reads this many channels. @param done - called with whether they arrived in time */
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
    // The caller gives up before its turn comes.
    this.#timeline.after(TIMEOUT, () => done(false))
  }
}
