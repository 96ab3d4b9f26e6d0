import { MEASURED } from './measured.ts'

/** What a returning reader costs. */
export interface Costs {
  /** Milliseconds of a server's CPU to accept it and replay what it has missed. */
  readonly resume: number
  /** The share of a core that a server has for this; the rest is for its deliveries. */
  readonly serverShare: number
  /** Milliseconds of Redis for a call that reads, and for each channel in the call. */
  readonly redisCall: number
  readonly redisChannel: number
  /** The share of its time that Redis has for this; the rest is for publishes. */
  readonly redisShare: number
}

const { read, readChannel, resume } = MEASURED

export const COSTS: Costs = {
  resume: resume.value / 1_000,
  serverShare: 0.5,
  redisCall: (read.value - readChannel.value) / 1_000,
  redisChannel: readChannel.value / 1_000,
  redisShare: 0.5,
}

/** Round trips in milliseconds, from a client to a server and from a server to Redis. */
export const LATENCY = { client: 40, redis: 1 }

/** How long after the end of a process its successor listens, in milliseconds. */
export const START = 2_000

/** `close({ within })` of the hub, in milliseconds. */
export const WITHIN = 10_000

/** `retry` of the hub, in milliseconds: its default. */
export const RETRY = 2_000
