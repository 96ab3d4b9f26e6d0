import { MEASURED } from './measured.ts'

/** What a reader who comes back takes. */
export interface Costs {
  /** Milliseconds of a server's CPU, to accept it and replay what was missed. */
  readonly resume: number
  /** Share of a core that a server has for it, beside what it delivers. */
  readonly serverShare: number
  /** Milliseconds of Redis for a call that reads, and for each channel in it. */
  readonly redisCall: number
  readonly redisChannel: number
  /** Share of its time that Redis has for it, beside what is published. */
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

/** Milliseconds from a client to a server, or from a server to Redis, and back. */
export const LATENCY = { client: 40, redis: 1 }

/** Milliseconds from the end of a process until its successor listens. */
export const START = 2_000

/** `close({ within })` of the hub, in milliseconds. */
export const WITHIN = 10_000

/** `retry` of the hub, in milliseconds: its default. */
export const RETRY = 2_000
