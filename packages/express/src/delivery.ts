import type { Socket } from 'node:net'
import { encodeControl, type GapReason } from '@sse/protocol'
import { type Chunk, frameText, joinBlocks, type TextChunk } from './chunk.ts'
import { formatCursor } from './cursor.ts'
import type { Entry } from './entry.ts'
import type { History } from './history.ts'
import { type Insert, Inserts } from './inserts.ts'
import { liveAt } from './live.ts'
import { countDue, endOfAll, type Membership, type Push, takeEntries, takeMissed } from './membership.ts'
import { fallIn, type Place, takeShared } from './place.ts'

/** Shared by all who have none. */
const NO_MEMBERS: readonly Membership[] = []
export const NO_CHANNELS: readonly string[] = []

/** The next bytes for a stream, which it may share with others, and what they announce. */
export type Slice = (Chunk | TextChunk) & {
  /** Whether there is more to come at once. */
  readonly more?: boolean
  /** Channels that missed something since the last slice. */
  readonly gap?: readonly string[]
}

/**
 * What one stream has not had yet: a cursor over the logs of its channels, and what is inserted between their entries.
 * Pure: it holds no socket and no clock. What {@link next} returns counts as written.
 */
export class Delivery {
  /** Channels that are about to come: the end of all that there are is not that of the stream. */
  expecting: readonly string[] = NO_CHANNELS
  /** The name of the log; `undefined` before the first join. */
  epoch: string | undefined

  readonly #place: Place
  /** Few, and walked in each pass: a dense array costs less than a map, in time and in memory. */
  #members: readonly Membership[] = NO_MEMBERS
  /** `undefined` while nothing waits: an idle stream keeps none. */
  #inserts: Inserts | undefined
  /** What the stream begins with, until it is taken. */
  #opening: string | undefined
  /** Where the replay ends, to be announced by `sse.live`. */
  #target: number | undefined
  /** How the stream is to end, once everything up to `at` was taken. */
  #ending: { readonly reason: string; readonly at: number } | undefined
  #ended = false

  constructor(place: Place) {
    this.#place = place
  }

  /** Everything that was due up to here was taken. */
  get cursor(): number {
    return this.#place.cursor
  }

  /** Bytes of the application's private events that wait. */
  get privateBytes(): number {
    return this.#inserts?.privateBytes ?? 0
  }

  /** Whether `sse.close` was taken: there is nothing more to come. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the stream is to end, so that nothing more is accepted. */
  get ending(): boolean {
    return this.#ending !== undefined
  }

  get channels(): readonly string[] {
    return this.#members.map(({ channel }) => channel)
  }

  /** How many channels there are. */
  get size(): number {
    return this.#members.length
  }

  has(channel: string): boolean {
    return this.#members.some((member) => member.channel === channel)
  }

  /** Whether these are the histories of its channels. */
  reads(histories: ReadonlyMap<string, History>): boolean {
    return this.#members.every(({ channel, history }) => histories.get(channel) === history)
  }

  /** Those of some channels that are none of the stream's, each once. */
  unjoined(channels: readonly string[]): readonly string[] {
    return channels.filter((channel, index) => !this.has(channel) && channels.indexOf(channel) === index)
  }

  /** Starts at a position, with these channels; `sse.live` says when the stream has come up to `target`. */
  start(epoch: string, cursor: number, target: number, members: readonly Membership[]): void {
    this.epoch = epoch
    this.#place.cursor = cursor
    this.#target = target
    this.#line([...this.#members, ...members])
  }

  /**
   * Starts again with histories that were read anew, after saying that something may be missing: in another epoch with all
   * that is retained of the channels that are still its own, in the same one from the cursor on. What was inserted before
   * stays in its order.
   *
   * @returns what is given as the reason
   */
  restart(epoch: string, head: number, histories: ReadonlyMap<string, History>): GapReason {
    // Positions beyond the head are those of another log, whatever it is called.
    const goesOn = epoch === this.epoch && head >= this.cursor
    const reason = goesOn ? 'evicted' : 'epoch'
    const cursor = goesOn ? this.cursor : 0
    const members: Membership[] = []
    for (const { channel, floor, since } of this.#members) {
      const history = histories.get(channel)
      if (history === undefined) continue
      const { evicted: covered, evictedState: coveredStates } = history
      const due = goesOn ? { floor, since } : { floor: 0, since: 0 }
      members.push({ channel, history, ...due, covered, coveredStates })
    }
    const channels = members.map(({ channel }) => channel)
    if (!goesOn) this.#inserts?.rewind()
    if (channels.length > 0) {
      this.#inserts ??= new Inserts()
      this.#inserts.addFirst(cursor, gapOf(channels, reason))
    }
    this.#line(NO_MEMBERS)
    this.start(epoch, channels.length > 0 ? cursor : head, head, members)
    // Nobody knows what of another log was published before the stream was closed.
    if (this.#ending !== undefined && !goesOn) this.#ending = { reason: this.#ending.reason, at: this.cursor }
    return reason
  }

  /** Adds a channel from now on; `recent` comes first, without ids, which vouch for other channels. */
  add(channel: string, history: History, recent: readonly Entry[]): void {
    const since = history.last
    const member = { channel, history, since, floor: since, covered: since, coveredStates: since }
    this.#line([...this.#members, member])
    for (const { body, frame } of recent) this.#insert(frame.subarray(body), 'recent', channel)
  }

  /** Drops a channel, with what of it was not taken yet. */
  leave(channel: string): void {
    this.#line(this.#members.filter((member) => member.channel !== channel))
    this.#inserts?.leave(channel)
    this.#forgetInserts()
  }

  /** Whether what the stream begins with was not taken yet. */
  get opening(): boolean {
    return this.#opening !== undefined
  }

  /** Has the stream begin with these blocks, before all else. */
  open(text: string): void {
    this.#place.straight = undefined
    this.#opening = text
  }

  /** Inserts the application's own bytes after everything that was published so far. */
  insertPrivate(bytes: Buffer): void {
    this.#insert(bytes, 'private')
  }

  /** Inserts what the library itself says after everything that was published so far. */
  insertControl(text: string): void {
    this.#insert(Buffer.from(text), 'control')
  }

  insertGap(channels: readonly string[], reason: GapReason): void {
    this.#insert(gapOf(channels, reason), 'control')
  }

  /** Ends the stream with `sse.close`, after everything that was published so far. The first call decides. */
  end(reason: string): void {
    this.#place.straight = undefined
    this.#ending ??= { reason, at: this.published }
  }

  /** The highest position in the logs of this stream's channels. */
  get published(): number {
    let position = this.cursor
    for (const { history } of this.#members) position = Math.max(position, history.last)
    return Math.max(position, this.#inserts?.last ?? 0)
  }

  /** Live entries between the cursor and the end, as far as they are due. */
  get pending(): number {
    return countDue(this.#members, this.cursor)
  }

  /** Says `sse.live` at the end of what there is, wherever the cursor is by then. */
  markLive(): void {
    this.#place.straight = undefined
    this.#target ??= this.cursor
  }

  /** Puts the stream in step if nothing is due to it but what its channels say next. */
  fallIn(straight: Socket): void {
    if (this.#isPlain) fallIn(this.#place, this.#members, straight)
  }

  /**
   * The next slice of about `limit` bytes: at least one block if there is any.
   *
   * @returns `undefined` when there is nothing to write
   */
  next(limit: number): Slice | undefined {
    if (this.#opening !== undefined) {
      const greeting = this.#takeGreeting(this.#opening)
      if (greeting !== undefined) return greeting
    }
    if (this.#isPlain) {
      const shared = takeShared(this.#place, this.#members, limit)
      if (shared !== 'mixed') return shared
    }
    return this.#takeMixed(limit)
  }

  /** Whether there is nothing to say but what the channels say. */
  get #isPlain(): boolean {
    return (
      this.#inserts === undefined &&
      this.#target === undefined &&
      this.#ending === undefined &&
      this.#opening === undefined
    )
  }

  /** The first words to a reader to whom nothing else is due, as to most. */
  #takeGreeting(opening: string): Slice | undefined {
    if (this.#inserts !== undefined || this.#ending !== undefined || this.#members.length === 0)
      return undefined
    let bound = Number.POSITIVE_INFINITY
    for (const { history } of this.#members) {
      const { end, evicted, last } = history
      if (last > this.cursor || evicted > this.cursor || end !== undefined) return undefined
      if (history.head.g < bound) bound = history.head.g
    }
    if (this.#target === undefined || bound < this.#target) return undefined
    const cursor = Math.max(this.cursor, bound)
    const text = opening + liveAt(this.epoch, cursor).text
    // Of a broker whose log has a name that nobody can resume with.
    if (Buffer.byteLength(text) !== text.length) return undefined
    this.#place.cursor = cursor
    this.#opening = undefined
    this.#target = undefined
    return frameText(text)
  }

  #takeMixed(limit: number): Slice | undefined {
    const blocks: Buffer[] = []
    let bytes = 0
    /** The only block, if it was joined before: a replay is mostly those, and copies none of them. */
    let joined: Chunk | undefined
    const push: Push = (block, chunk) => {
      joined = blocks.length === 0 ? chunk : undefined
      blocks.push(block)
      bytes += block.length
    }
    if (this.#opening !== undefined) push(Buffer.from(this.#opening))
    this.#opening = undefined
    while (bytes < limit && this.#takeInsert(push));
    const gap = bytes < limit && !this.#ended ? this.#takeGap(push) : []
    while (bytes < limit && !this.#ended) {
      if (this.#takeInsert(push)) continue
      const bound = this.#bound()
      if (this.cursor < bound) {
        this.#place.cursor = takeEntries(this.#members, this.cursor, bound, limit - bytes, push)
        // More than fits, or what stands in a chunk of its own, which the next slice can be.
        if (this.cursor < bound) break
      } else if (!this.#takeMark(push)) break
    }
    if (bytes === 0) return undefined
    const { framed, bytes: unframed } = joined ?? joinBlocks(blocks, bytes)
    return { bytes: unframed, framed, gap, more: bytes >= limit || this.cursor < this.#bound() }
  }

  /** Keeps the channels in line; whatever changes in them, the stream is out of step. */
  #line(members: readonly Membership[]): void {
    this.#members = members
    this.#place.straight = undefined
    this.#place.followed = undefined
    this.#place.histories = members.length > 1 ? members.map(({ history }) => history) : undefined
  }

  #insert(bytes: Buffer, kind: Insert['kind'], channel?: string): void {
    this.#place.straight = undefined
    const insert = { after: this.published, bytes, kind, channel }
    this.#inserts ??= new Inserts()
    this.#inserts.add(insert)
  }

  #takeInsert(push: Push): boolean {
    const bytes = this.#inserts?.take(this.cursor)
    if (bytes === undefined) return false
    this.#forgetInserts()
    push(bytes)
    return true
  }

  #forgetInserts(): void {
    if (this.#inserts?.isEmpty) this.#inserts = undefined
  }

  /** Says what the stream has missed, before anything newer. */
  #takeGap(push: Push): readonly string[] {
    const channels = takeMissed(this.#members, this.cursor)
    if (channels.length > 0) push(gapOf(channels, 'evicted'))
    return channels
  }

  /** How far the cursor may go: to the next insert, or the end, and no further than every log is known to be complete. */
  #bound(): number {
    const next = this.#inserts?.next ?? this.#ending?.at
    if (this.#members.length === 0) return Math.max(this.cursor, next ?? this.#target ?? this.cursor)
    let bound = next ?? Number.POSITIVE_INFINITY
    for (const { history } of this.#members) bound = Math.min(bound, history.head.g)
    return bound
  }

  /** At the end of what there is: caught up, or closed. */
  #takeMark(push: Push): boolean {
    if (this.#target !== undefined && this.cursor >= this.#target) {
      this.#target = undefined
      const { chunk } = liveAt(this.epoch, this.cursor)
      push(chunk.bytes, chunk)
      return true
    }
    if (this.expecting.length === 0) this.#ending ??= endOfAll(this.#members, this.cursor)
    if (this.#ending === undefined || this.cursor < this.#ending.at || this.#inserts !== undefined)
      return false
    const id = formatCursor(this.epoch ?? NO_LOG, this.epoch === undefined ? 0 : this.cursor, true)
    push(Buffer.from(encodeControl('sse.close', { reason: this.#ending.reason }, id)))
    this.#ended = true
    return true
  }
}

const gapOf = (channels: readonly string[], reason: GapReason): Buffer =>
  Buffer.from(encodeControl('sse.gap', { channels, reason }))

/** The epoch in the final id of a stream that joined no channel. */
const NO_LOG = 'none'
