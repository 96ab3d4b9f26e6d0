import type { History } from './history.ts'
import type { Merged } from './merges.ts'
import { mergeStep, othersAreQuiet, type Place } from './place.ts'

/** What a pass needs of a stream. */
export interface Passed extends Place {
  /** Beats since the last write. */
  quiet: number
  /** Whether bytes, or the end, wait for the reader. */
  readonly waiting: boolean
  /** Writes at most `slices` slices, one by default; returns whether there may be more that the reader can take now. */
  deliver(slices?: number): boolean
  /** The socket of a stream in step accepts no more for now. */
  fill(): void
}

/**
 * How long a pass holds the event loop per turn, at least and at most, in milliseconds. It holds it for as long as others did
 * since it let go. With a fixed 8 ms, a request during a pass over 5,000 readers took nearly twice as long; with a fixed
 * 2 ms, events took three times as long where a handler used 10 ms of each turn.
 */
const LEAST_TIME = 2
const MOST_TIME = 8

/** How many streams are served between two looks at the clock. */
const CLOCK = 32

/** About how many slices a stream gets per turn if no other stream waits: with one per turn, a replay took a tenth longer. */
const ALONE = 32

/**
 * How many of these are written at once, at least and at most: in between as many as the reader has taken in this turn, so
 * that no more waits for a slow one than the system has taken for it. With four each time, a replay took a twelfth longer.
 */
const LEAST_TOGETHER = 2
const MOST_TOGETHER = 8

/**
 * Decides when streams are served: once for everything that happened in a turn of the event loop.
 *
 * Of a stream in step it touches only its {@link Place} and its socket. The stream's other objects are out of the CPU's
 * caches by then: touching them made a delivery to 1,000 and to 5,000 readers 10 to 20 % slower. A loop over a bare array
 * of sockets is no faster than this.
 */
export class Pass<S extends Passed> {
  /** The streams that a pass has yet to serve: the iterator of a set goes on where it was left. */
  #walk: IterableIterator<S> | undefined
  /** Sets of streams that no pass has begun to serve. Each is in it once: serving it delivers all of its news. */
  readonly #queue = new Set<ReadonlySet<S>>()
  readonly #changed = new Set<ReadonlySet<S>>()
  #due = new Set<S>()
  /** The set in the queue with streams that were scheduled by themselves. */
  #queued: Set<S> | undefined
  #next: NodeJS.Immediate | undefined
  #served = 0
  /** When an unfinished pass let go of the event loop. */
  #letGo = Number.POSITIVE_INFINITY
  /** The lowest cursor of the streams that wait to be served and can take data, without those of `#unseen`. */
  #lowest = Number.POSITIVE_INFINITY
  /** Audiences not yet counted in `#lowest`. */
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

  /** Cancels {@link schedule} for a stream. */
  forget(stream: S): void {
    this.#due.delete(stream)
  }

  /**
   * Serves all waiting streams at once if entries up to a position are about to be dropped that one of them was not offered
   * yet. A full history drops an entry with every event, but mostly no stream is that far behind, so that the events of a
   * turn remain one write.
   */
  hurry(upTo: number = Number.POSITIVE_INFINITY): void {
    // A listener may publish during a pass: then serve also the streams that the pass has not reached yet.
    const pending = this.#next !== undefined || this.#walk !== undefined
    if (pending && this.#lowestCursor() < upTo) this.#serve(Number.POSITIVE_INFINITY)
  }

  /** Includes a stream in the lowest cursor that was not in an audience, or could not take data, when that was determined. */
  count({ cursor }: S): void {
    this.#lowest = Math.min(this.#lowest, cursor)
  }

  #add(stream: S): void {
    this.#due.add(stream)
    this.count(stream)
  }

  /** Visits each audience once per pass, however often this is called: cursors only rise. */
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

  /** Serves one slice to each stream, or several to one that is alone; goes on in the next turn when time is up. */
  #serve(time: number): void {
    clearImmediate(this.#next)
    this.#next = undefined
    const alone = this.#walk === undefined && this.#due.size === 1 && this.#changed.size === 0
    this.#enqueue()
    this.#walkOn(alone, performance.now() + time)
    if (this.#walk !== undefined || this.#due.size > 0 || this.#changed.size > 0) {
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

  /** A listener that publishes may call {@link hurry} meanwhile, which completes the walk in progress. */
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
        for (let slices = 0, together = 1; more && slices < most; slices += together) {
          if (alone) together = Math.min(Math.max(slices, LEAST_TOGETHER), MOST_TOGETHER)
          more = stream.deliver(together)
        }
        if (more) this.#add(stream)
      }
      if (++this.#served % CLOCK === 0 && performance.now() > until) return true
    }
    return false
  }
}
