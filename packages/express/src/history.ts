import { discard, type Entry } from './entry.ts'
import { type Merged, merge, unshare } from './merges.ts'
import { own, type Run, Segments, SMALL_LOG } from './segments.ts'

/** How much a channel keeps. */
export interface Retention {
  /** Entries, states not counted. */
  readonly length: number
  /** Bytes on the wire, states included. */
  readonly bytes: number
  /** Milliseconds; states are exempt. */
  readonly age: number
}

const EVERYTHING: Retention = {
  length: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  age: Number.POSITIVE_INFINITY,
}

/** Where a log stands as a whole. */
export interface Head {
  /** The position up to which all of it is known. */
  readonly g: number
}

/**
 * The bounded log of one channel, ordered by position. Of entries with a subject only the newest stays, exempt from
 * count and age. Whatever is dropped for room or age raises `evicted`; what is superseded does not.
 */
export class History {
  /** The highest position that was dropped: a reader whose cursor lies below it has missed something. */
  evicted: number
  /** The highest position of a state that was dropped for room. */
  evictedState = 0
  /** What `evicted` was when the log began: what there was up to it is unknown. */
  readonly origin: number
  /** Up to where this log is complete: readers go no further. */
  readonly head: Head
  /** The position of the newest entry, whether or not it is still there. */
  last: number
  /** The entry that ended the channel. */
  end: Entry | undefined
  /** Bytes retained. */
  bytes = 0

  #log: Entry[] = []
  /** How many entries are gone but still have their place in the log. */
  #holes = 0
  /** All entries before this index have a subject or are gone, so that the oldest event is found without a search. */
  #oldest = 0
  /** How many entries without a subject there are. */
  #count = 0
  /** The newest entry of each subject, in the order of their positions. */
  readonly #newest = new Map<string, Entry>()
  /** `undefined` while the log is small, as on most channels. */
  #segments: Segments | undefined

  constructor(head: Head, evicted = 0) {
    this.head = head
    this.evicted = evicted
    this.origin = evicted
    this.last = evicted
  }

  /** Live entries. */
  get length(): number {
    return this.#log.length - this.#holes
  }

  /** A position up to which appending an entry would drop others for room or age at most; 0 if it would drop none. */
  evictedBy({ at, frame }: Entry, { age, bytes, length }: Retention): number {
    let room = Math.max(1, length) - this.#count - 1
    let roomBytes = bytes - this.bytes - frame.length
    let upTo = 0
    this.#oldestEvent()
    for (let index = this.#oldest; index < this.#log.length; index++) {
      const entry = this.#log[index]
      if (entry === undefined || !isEvent(entry)) continue
      if (room >= 0 && roomBytes >= 0 && entry.at >= at - age) return upTo
      upTo = entry.g
      room += 1
      roomBytes += entry.frame.length
    }
    // States are dropped last: which ones is not worth finding out.
    return roomBytes < 0 && this.#newest.size > 0 ? Number.POSITIVE_INFINITY : upTo
  }

  /** The position up to which {@link expire} would drop entries; 0 if it drops none. */
  olderThan(before: number): number {
    let upTo = 0
    this.#oldestEvent()
    for (let index = this.#oldest; index < this.#log.length; index++) {
      const entry = this.#log[index]
      if (entry === undefined || !isEvent(entry)) continue
      if (entry.at >= before) break
      upTo = entry.g
    }
    return upTo
  }

  /**
   * Appends an entry, whose position must be the highest, and drops what then exceeds the retention. The entry itself stays
   * until the next one or {@link expire}, whatever the retention, so that readers get it.
   */
  append(entry: Entry, retention: Retention): void {
    unshare(this)
    const subject = entry.subject ?? entry.voids
    const former = subject === undefined ? undefined : this.#newest.get(subject)
    if (subject !== undefined && former !== undefined) {
      this.#newest.delete(subject)
      this.#discard(former)
    }
    if (entry.subject === undefined) this.#count += 1
    else this.#newest.set(entry.subject, entry)
    if (entry.end !== undefined) this.end = entry
    this.last = entry.g
    this.#log.push(entry)
    this.bytes += entry.frame.length
    if (this.bytes >= SMALL_LOG) this.#segments ??= new Segments(this)
    this.#segments?.add(entry, this.bytes)
    if (this.#segments?.holds(entry) !== true) entry.frame = own(entry.frame)
    while (this.#count > Math.max(1, retention.length)) this.#dropOldest()
    this.shrink(retention.bytes, entry)
    this.expire(entry.at - retention.age)
  }

  /**
   * Replaces all entries by those of another copy of this log, since this one has missed some.
   *
   * @param entries - in their order
   * @param evicted - the highest position that the other copy has dropped
   */
  replace(entries: Iterable<Entry>, evicted: number): void {
    for (const entry of this.#log) discard(entry)
    this.#log = []
    this.#holes = 0
    this.#oldest = 0
    this.#count = 0
    this.#newest.clear()
    this.#segments = undefined
    unshare(this)
    this.bytes = 0
    this.evicted = Math.max(this.evicted, evicted)
    for (const entry of entries) this.append(entry, EVERYTHING)
  }

  /** Drops what was published before a time, in milliseconds since the epoch. */
  expire(before: number): void {
    for (let oldest = this.#oldestEvent(); oldest !== undefined && oldest.at < before; ) {
      this.#dropOldest()
      oldest = this.#oldestEvent()
    }
  }

  /** Drops the oldest entries until at most `bytes` are left: those without a subject first, never `keep`. */
  shrink(bytes: number, keep?: Entry): void {
    while (this.bytes > bytes) {
      const oldest = this.#oldestEvent()
      if (oldest !== undefined && oldest !== keep) this.#dropOldest()
      else if (!this.#dropOldestState(keep)) return
    }
  }

  /** Whether nothing is left, except an end from before a time. */
  isSpent(before: number): boolean {
    const { end } = this
    return this.length === 0 || (this.length === 1 && end !== undefined && end.at < before)
  }

  /** Whether nothing is left that can expire: only states, and an end from before a time. */
  isAgeless(before: number): boolean {
    return this.#count === 0 && (this.end === undefined || this.end.at < before)
  }

  /** The index of the first entry beyond a position; {@link at} takes it. */
  indexAfter(g: number): number {
    const log = this.#log
    let low = 0
    let high = log.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((log[middle]?.g ?? 0) <= g) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How many entries after a position are sent: those that are not gone, without the channel's end. */
  countAfter(g: number): number {
    const log = this.#log
    const from = this.indexAfter(g)
    this.#oldestEvent()
    // Without states, all that is gone is at the front: many readers may reconnect at once, so do not count entry by entry.
    if (this.#newest.size === 0 && this.#holes === this.#oldest) {
      return log.length - Math.max(from, this.#oldest)
    }
    let count = 0
    for (let index = from; index < log.length; index++) if (log[index]?.frame.length !== 0) count += 1
    return count
  }

  /** The entry at an index, which may be superseded; `undefined` at the end. */
  at(index: number): Entry | undefined {
    return this.#log[index]
  }

  /** The blocks that are contiguous in memory from an entry on; `undefined` if its block is in no segment. */
  run(entry: Entry, bound: number): Run | undefined {
    return this.#segments?.run(entry, bound)
  }

  /** The position before the newest `n` events. Removals do not count: a new reader has nothing that they could remove. */
  positionBefore(n: number): number {
    if (n <= 0) return this.last
    if (n >= this.#count) return this.evicted
    let left = n
    for (let index = this.#log.length - 1; index >= 0; index--) {
      const entry = this.#log[index]
      if (entry !== undefined && isEvent(entry) && entry.voids === undefined) {
        left -= 1
        if (left < 0) return entry.g
      }
    }
    return this.evicted
  }

  /** The states, and the other entries beyond a position, in order. */
  recent(since: number): readonly Entry[] {
    return this.#log.filter((entry) => isState(entry) || (isEvent(entry) && entry.g > since))
  }

  /** The position before the oldest state; `undefined` if there is none. */
  positionBeforeStates(): number | undefined {
    const first = this.#newest.size === 0 ? undefined : this.#log.find(isState)
    return first === undefined ? undefined : first.g - 1
  }

  /** The bytes of the entries in `(from, bound]`, up to about `limit` of them, for readers to whom all of them are due. */
  merge(from: number, bound: number, limit: number): Merged {
    return merge(this, from, bound, limit)
  }

  #oldestEvent(): Entry | undefined {
    for (; this.#oldest < this.#log.length; this.#oldest++) {
      const entry = this.#log[this.#oldest]
      if (entry !== undefined && isEvent(entry)) return entry
    }
    return undefined
  }

  #dropOldest(): void {
    const entry = this.#oldestEvent()
    if (entry === undefined) return
    this.#count -= 1
    this.#evict(entry)
  }

  #dropOldestState(keep: Entry | undefined): boolean {
    // A map keeps the order of insertion, which is the order of positions.
    for (const [subject, entry] of this.#newest) {
      if (entry === keep || entry.end !== undefined) continue
      this.#newest.delete(subject)
      this.evictedState = Math.max(this.evictedState, entry.g)
      this.#evict(entry)
      return true
    }
    return false
  }

  #evict(entry: Entry): void {
    this.evicted = Math.max(this.evicted, entry.g)
    this.#discard(entry)
  }

  #discard(entry: Entry): void {
    unshare(this)
    const { frame } = entry
    this.bytes -= frame.length
    discard(entry)
    this.#segments?.remove(entry.g, frame, this.bytes)
    this.#holes += 1
    if (this.#holes > 32 && this.#holes > this.#log.length / 2) this.#compact()
  }

  #compact(): void {
    this.#log = this.#log.filter((entry) => !entry.gone)
    this.#holes = 0
    this.#oldest = 0
  }
}

/** Whether an entry has no subject and is not gone. */
const isEvent = (entry: Entry): boolean => entry.subject === undefined && !entry.gone

/** Whether an entry is a state, which is the newest of its subject; the channel's end is none. */
const isState = (entry: Entry): boolean =>
  entry.subject !== undefined && !entry.gone && entry.end === undefined
