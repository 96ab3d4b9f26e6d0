import { type Costs, RETRY } from './costs.ts'
import { LocalHistory } from './local-history.ts'
import type { SimulatedRedis } from './redis.ts'
import type { Timeline } from './timeline.ts'

/** One attempt of a client, and the stream that comes of it. */
export interface Visit {
  readonly channels: readonly string[]
  /** The client has left. */
  readonly over: boolean
  /** @param retry - how long to wait before reconnecting if the stream breaks, in milliseconds */
  open(retry: number): void
  /** The server cannot answer: 503. */
  refuse(): void
  /** The connection is cut. @param retry - a new reconnection time, in milliseconds */
  end(retry?: number): void
}

export interface ServerOptions {
  readonly timeline: Timeline
  readonly redis: SimulatedRedis
  readonly costs: Costs
  readonly random: () => number
  readonly jitter: boolean
  readonly localHistory: boolean
}

/** As in `closeStreams` of @sse/express: streams are closed until this long before the end, in steps of at least this length. */
const GRACE = 500
const STEP = 20

/** How many connections the kernel queues until the process accepts them: Node's default. */
const BACKLOG = 511
/** How long the client's kernel waits for an answer before it repeats its SYN, in milliseconds; doubled each time. */
const SYN_TIMEOUT = 1_000

/** One process with a hub: accepts readers one after the other, and disconnects them when it closes. */
export class SimulatedServer {
  /** Whether the balancer sends readers here. */
  takes = true
  /** Attempts that the kernel dropped, since it had no room for them. */
  overflows = 0
  /** Readers that reached it with a cursor. */
  resumes = 0
  readonly #options: ServerOptions
  readonly #streams = new Set<Visit>()
  /** Attempts that are not answered yet. */
  readonly #pending = new Set<Visit>()
  /** Connections that the process has not accepted yet. */
  #backlog: Visit[] = []
  #busy = false
  #history: LocalHistory

  constructor(options: ServerOptions) {
    this.#options = options
    this.#history = new LocalHistory(options.redis)
  }

  /** Connects a reader that is there from the beginning. */
  seat(visit: Visit): void {
    this.#history.know(visit.channels)
    this.#welcome(visit)
  }

  /** A client tries to connect. @param tries - how often the kernel has dropped this attempt so far */
  receive(visit: Visit, tries = 0): void {
    if (this.#backlog.length < BACKLOG) {
      this.#pending.add(visit)
      this.#backlog.push(visit)
      if (!this.#busy) this.#turn()
      return
    }
    this.overflows += 1
    this.#options.timeline.after(SYN_TIMEOUT * 2 ** tries, () => {
      if (visit.over) return
      if (this.takes) this.receive(visit, tries + 1)
      else visit.refuse()
    })
  }

  /** A reader has left. */
  leave(visit: Visit): void {
    this.#pending.delete(visit)
    if (this.#streams.delete(visit)) this.#history.forget(ownChannel(visit))
  }

  /** Accepts no more readers, and ends the streams, spread over this many milliseconds. */
  close(within: number): void {
    const { timeline } = this.#options
    this.takes = false
    const streams = [...this.#streams]
    const spread = Math.max(within - GRACE, 0)
    const step = Math.max(STEP, spread / Math.max(1, streams.length))
    const each = spread === 0 ? streams.length : Math.ceil((streams.length * step) / spread)
    for (const [index, stream] of streams.entries()) {
      timeline.after(Math.floor(index / each) * step, () => this.#end(stream))
    }
    timeline.after(within, () => this.kill())
  }

  /** The process dies: all its connections break. */
  kill(): void {
    this.takes = false
    for (const visit of [...this.#streams, ...this.#pending]) {
      this.#streams.delete(visit)
      this.#pending.delete(visit)
      visit.end()
    }
    this.#backlog = []
    this.#history = new LocalHistory(this.#options.redis)
  }

  start(): void {
    this.takes = true
  }

  /** One turn of the event loop: accepts all connections that wait, and answers them one after the other. */
  #turn(): void {
    const { costs, timeline } = this.#options
    const batch = this.#backlog
    this.#backlog = []
    this.#busy = batch.length > 0
    if (!this.#busy) return
    const each = costs.resume / costs.serverShare
    for (const [index, visit] of batch.entries()) {
      timeline.after((index + 1) * each, () => {
        if (this.#pending.has(visit)) this.#read(visit)
      })
    }
    timeline.after(batch.length * each, () => this.#turn())
  }

  #read(visit: Visit): void {
    const { localHistory, redis } = this.#options
    const done = (inTime: boolean): void => {
      if (!this.#pending.delete(visit)) return
      if (inTime) this.#welcome(visit)
      else visit.refuse()
    }
    this.resumes += 1
    if (localHistory) this.#history.read(visit.channels, done)
    else redis.read(visit.channels.length, done)
  }

  #welcome(visit: Visit): void {
    this.#streams.add(visit)
    visit.open(this.#retry())
  }

  #end(visit: Visit): void {
    if (this.#streams.delete(visit)) visit.end(this.#retry())
  }

  /** As `jitteredRetry` of @sse/express: a reconnection time for each stream. */
  #retry(): number {
    const { jitter, random } = this.#options
    return jitter ? Math.round(RETRY * (0.5 + random())) : RETRY
  }
}

/** The second channel, if there is one, is the reader's own: nobody else reads it. */
const ownChannel = ({ channels }: Visit): string => channels[1] ?? ''
