/** What things take, as they were measured. Where each figure comes from stands in docs/scaling.md. */
export interface Costs {
  /** Milliseconds of a server's CPU for a reader who comes back: accepted, and replayed what was missed. */
  readonly resume: number
  /** Share of a server's time that is left for it, beside what it delivers. */
  readonly serverShare: number
  /** Milliseconds of Redis for a call that reads, and for each channel in it. */
  readonly redisCall: number
  readonly redisChannel: number
  /** Share of Redis's time that is left for it, beside what is published. */
  readonly redisShare: number
}

export const COSTS: Costs = {
  resume: 0.37,
  serverShare: 0.5,
  redisCall: 0.06,
  redisChannel: 0.05,
  redisShare: 0.5,
}

/** Milliseconds from a client to a server, or from a server to Redis, and back. */
export const LATENCY = { client: 40, redis: 1 }

/** Milliseconds from the end of a process until its successor listens. */
export const START = 2_000

/** `close({ within })` of the hub, in milliseconds. */
export const WITHIN = 10_000

/** `retry` of the hub, in milliseconds: its default. */
export const RETRY = 2_000
