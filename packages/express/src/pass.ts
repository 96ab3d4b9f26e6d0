import type { History } from './history.ts'
import type { Merged } from './merges.ts'
import { mergeStep, othersAreQuiet, type Place } from './place.ts'

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

/**
 * How long a pass holds the event loop at least and at most, in milliseconds. One that is under way holds it for as long as
 * others did since it let go: with a fixed 8 ms a request beside a pass over 5,000 readers took nearly twice as long, and
 * with a fixed 2 ms their events three times as long where a handler took 10 ms of each turn.
 */
const LEAST_TIME = 2
const MOST_TIME = 8

/** Streams served between two looks at the clock. */
const CLOCK = 32

/** Slices in a turn, at most, for a stream that keeps nobody waiting: with one in each a replay took a tenth longer. */
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
  /** Whom a pass is walking along: iterators of sets go on where they were left. */
  #walk: IterableIterator<S> | undefined
  /** Whom the last pass did not come to. Once each, however often there was news meanwhile: a walk brings all of it. */
  readonly #queue = new Set<ReadonlySet<S>>()
  readonly #changed = new Set<ReadonlySet<S>>()
  #due = new Set<S>()
  /** Those of the queue who are due by themselves. */
  #queued: Set<S> | undefined
  #next: NodeJS.Immediate | undefined
  #served = 0
  /** When a pass that is under way let go of the event loop. */
  #letGo = Number.POSITIVE_INFINITY
  /** None of the streams that are to be served, and can be, has its cursor below this; but for the `#unseen`. */
  #lowest = Number.POSITIVE_INFINITY
  readonly #unseen = new Set<ReadonlySet<S>>()

  /** Serves a stream at the end of this turn. */
  schedule(stream: S): void {
    this.#add(stream)
    this.#later()
  }

  /** Serves an audience, whose channel has news, at the end of this turn. */
  scheduleAll(streams: ReadonlySet<S>): void {
    if (this.#changed.has(streams)) return
    this.#changed.add(streams)
    this.#unseen.add(streams)
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
    const pending = this.#next !== undefined || this.#isUnderWay
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
    this.#unseen.clear()
    return this.#lowest
  }

  #later(): void {
    this.#next ??= setImmediate(() => {
      const others = performance.now() - this.#letGo
      this.#serve(Math.min(Math.max(others, LEAST_TIME), MOST_TIME))
    })
  }

  get #isUnderWay(): boolean {
    return this.#walk !== undefined || this.#queue.size > 0
  }

  /** Serves streams a slice each, or one that is alone several, and goes on in the next turn when time is up. */
  #serve(time: number): void {
    clearImmediate(this.#next)
    this.#next = undefined
    const alone = !this.#isUnderWay && this.#due.size === 1 && this.#changed.size === 0
    this.#enqueue()
    this.#walkOn(alone, performance.now() + time)
    if (this.#isUnderWay || this.#due.size > 0 || this.#changed.size > 0) {
      this.#letGo = performance.now()
      this.#later()
    } else {
      this.#letGo = Number.POSITIVE_INFINITY
      this.#lowest = Number.POSITIVE_INFINITY
      this.#unseen.clear()
    }
  }

  #enqueue(): void {
    if (this.#due.size > 0) {
      if (this.#queued === undefined) {
        this.#queued = this.#due
        this.#queue.add(this.#queued)
      } else {
        for (const stream of this.#due) this.#queued.add(stream)
      }
      this.#due = new Set()
    }
    for (const streams of this.#changed) this.#queue.add(streams)
    this.#changed.clear()
  }

  /** Whoever a listener hurries for is served in the midst of it: then the walk under way is at its end. */
  #walkOn(alone: boolean, until: number): void {
    if (this.#walk !== undefined && this.#serveBatch(this.#walk, alone, until)) return
    this.#walk = undefined
    for (const streams of this.#queue) {
      this.#queue.delete(streams)
      if (streams === this.#queued) this.#queued = undefined
      this.#walk = streams.values()
      if (this.#serveBatch(this.#walk, alone, until)) return
      this.#walk = undefined
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
      if (straight?.writable && (stream.histories === undefined || othersAreQuiet(stream))) {
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
