import type { History } from './history.ts'
import { type Merged, mergeStep } from './merges.ts'
import { othersAreQuiet, type Place } from './place.ts'

/** What a pass serves: a stream, as far as it is concerned. */
export interface Passed extends Place {
  /** Beats since the last write. */
  quiet: number
  /** Whether bytes, or the end, wait for the reader. */
  readonly waiting: boolean
  /** Writes so many slices at most, one by default; returns whether there may be more that the reader can take now. */
  deliver(slices?: number): boolean
  /** Hears that the socket of a stream in step wants no more for now. */
  fill(): void
}

/** How long a pass may hold the event loop, in milliseconds. */
const PASS_TIME = 8

/** Streams served between two looks at the clock. */
const CLOCK = 32

/** Slices in a turn for a stream that keeps nobody waiting: with one in each turn a replay took a tenth longer. */
const ALONE = 16

/** And in a write: so many wait at its socket if it is slow. */
const TOGETHER = 4

/**
 * When streams are served: once for all that a turn of the event loop brought.
 *
 * Of a stream in step nothing but its {@link Place} and its socket is touched: the other objects that stand behind it are
 * in no cache by the time it is its turn, and a look at them made a delivery to 1,000 and to 5,000 readers dearer by a tenth
 * to a fifth. A loop over a bare array of sockets is no cheaper than this.
 */
export class Pass<S extends Passed> {
  /** What is being served, and what the last pass did not come to. Iterators of sets go on where they were left. */
  readonly #batches: IterableIterator<S>[] = []
  readonly #changed = new Set<ReadonlySet<S>>()
  #due = new Set<S>()
  #next: NodeJS.Immediate | undefined
  #served = 0
  /** None of the streams that are to be served, and can be, has its cursor below this; but for the `#unseen`. */
  #lowest = Number.POSITIVE_INFINITY
  #unseen: ReadonlySet<S>[] = []

  /** Serves a stream at the end of this turn. */
  schedule(stream: S): void {
    this.#add(stream)
    this.#later()
  }

  /** Serves an audience, whose channel has news, at the end of this turn. */
  scheduleAll(streams: ReadonlySet<S>): void {
    if (this.#changed.has(streams)) return
    this.#changed.add(streams)
    this.#unseen.push(streams)
    this.#later()
  }

  /** Serves a stream no more. */
  forget(stream: S): void {
    this.#due.delete(stream)
  }

  /**
   * Serves what there is to serve at once, if entries up to a position are about to be dropped which somebody was not
   * offered yet. Mostly nobody is so far behind, and what the turn brings stays one write: of a full history every event
   * pushes one out.
   */
  hurry(upTo: number = Number.POSITIVE_INFINITY): void {
    // Also what a pass under way did not come to, if it is a listener who publishes.
    const pending = this.#next !== undefined || this.#batches.length > 0
    if (pending && this.#lowestCursor() < upTo) this.#serve(Number.POSITIVE_INFINITY)
  }

  /** Counts a stream that was none of an audience, or could not be served, when that was looked at for {@link hurry}. */
  count({ cursor }: S): void {
    this.#lowest = Math.min(this.#lowest, cursor)
  }

  #add(stream: S): void {
    this.#due.add(stream)
    this.count(stream)
  }

  /** Looks at each audience once for a pass, however often it is asked: cursors only rise. */
  #lowestCursor(): number {
    for (const streams of this.#unseen) {
      for (const stream of streams) {
        if (stream.cursor < this.#lowest && !stream.waiting) this.#lowest = stream.cursor
      }
    }
    this.#unseen = []
    return this.#lowest
  }

  #later(): void {
    this.#next ??= setImmediate(() => this.#serve(PASS_TIME))
  }

  /** Serves streams a slice each, or one that is alone several, and goes on in the next turn when time is up. */
  #serve(time: number): void {
    clearImmediate(this.#next)
    this.#next = undefined
    const batches = this.#batches
    const alone = batches.length === 0 && this.#due.size === 1 && this.#changed.size === 0
    if (this.#due.size > 0) {
      batches.push(this.#due.values())
      this.#due = new Set()
    }
    for (const streams of this.#changed) batches.push(streams.values())
    this.#changed.clear()
    const until = performance.now() + time
    let late = false
    for (let batch = batches[0]; batch !== undefined && !late; batch = batches[0]) {
      late = this.#serveBatch(batch, alone, until)
      if (!late && batches[0] === batch) batches.shift()
    }
    if (batches.length > 0 || this.#due.size > 0 || this.#changed.size > 0) {
      this.#later()
    } else {
      this.#lowest = Number.POSITIVE_INFINITY
      this.#unseen = []
    }
  }

  /** @returns whether time was up before the end */
  #serveBatch(batch: IterableIterator<S>, alone: boolean, until: number): boolean {
    const together = alone ? TOGETHER : 1
    const most = until === Number.POSITIVE_INFINITY ? until : alone ? ALONE : 1
    let history: History | undefined
    let from = -1
    let step: Merged | undefined
    for (const stream of batch) {
      const { straight } = stream
      let stepped = false
      if (straight !== undefined && (stream.histories === undefined || othersAreQuiet(stream))) {
        if (stream.followed !== history || stream.cursor !== from) {
          history = stream.followed
          from = stream.cursor
          step = history && mergeStep(history, from)
        }
        if (step !== undefined) {
          stream.cursor = step.to
          stream.quiet = 0
          if (!straight.write(step.framed)) stream.fill()
          stepped = true
        }
      }
      if (!stepped) {
        let more = true
        for (let slices = 0; more && slices < most; slices += together) more = stream.deliver(together)
        if (more) this.#add(stream)
      }
      if (++this.#served % CLOCK === 0 && performance.now() > until) return true
    }
    return false
  }
}
