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

/** Shared by all streams without channels. */
const NO_MEMBERS: readonly Membership[] = []
export const NO_CHANNELS: readonly string[] = []

/** The next bytes for a stream, possibly shared with other streams, and the gap that they announce. */
export type Slice = (Chunk | TextChunk) & {
  /** Whether there is more to deliver right away. */
  readonly more?: boolean
  /** Channels that missed something since the last slice. */
  readonly gap?: readonly string[]
}

/**
 * What one stream has not been sent yet: a cursor over the logs of its channels, and what is inserted between their entries.
 * Pure: it has no socket and no clock. What {@link next} returns counts as written.
 */
export class Delivery {
  /** Channels being joined: until they are, the end of all the others does not end the stream. */
  expecting: readonly string[] = NO_CHANNELS
  /** The name of the log; `undefined` before the first join. */
  epoch: string | undefined

  readonly #place: Place
  /** Few, and iterated in each pass: a dense array takes less time and memory than a map. */
  #members: readonly Membership[] = NO_MEMBERS
  /** `undefined` while nothing waits, to save the memory on idle streams. */
  #inserts: Inserts | undefined
  /** The first blocks of the stream, until they are taken. */
  #opening: string | undefined
  /** The position from which on `sse.live` is due. */
  #target: number | undefined
  /** How the stream will end once everything up to `at` was taken. */
  #ending: { readonly reason: string; readonly at: number } | undefined
  #ended = false

  constructor(place: Place) {
    this.#place = place
  }

  /** Everything due up to this position was taken. */
  get cursor(): number {
    return this.#place.cursor
  }

  /** Bytes of private events that wait. */
  get privateBytes(): number {
    return this.#inserts?.privateBytes ?? 0
  }

  /** Whether `sse.close` was taken: nothing follows it. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the stream is about to end and accepts nothing more. */
  get ending(): boolean {
    return this.#ending !== undefined
  }

  get channels(): readonly string[] {
    return this.#members.map(({ channel }) => channel)
  }

  get size(): number {
    return this.#members.length
  }

  has(channel: string): boolean {
    return this.#members.some((member) => member.channel === channel)
  }

  /** Whether these are the histories that its channels are read from. */
  reads(histories: ReadonlyMap<string, History>): boolean {
    return this.#members.every(({ channel, history }) => histories.get(channel) === history)
  }

  /** The given channels that are not joined yet, without duplicates. */
  unjoined(channels: readonly string[]): readonly string[] {
    return channels.filter((channel, index) => !this.has(channel) && channels.indexOf(channel) === index)
  }

  /** Starts at a position, with these channels; `sse.live` follows once `target` is reached. */
  start(epoch: string, cursor: number, target: number, members: readonly Membership[]): void {
    this.epoch = epoch
    this.#place.cursor = cursor
    this.#target = target
    this.#line([...this.#members, ...members])
  }

  /**
   * Starts again with histories that were read anew, after a gap that says that something may be missing. In another epoch
   * it delivers all that its channels retain, in the same one what follows the cursor. Inserts keep their order.
   *
   * @returns the reason that the gap gives
   */
  restart(epoch: string, head: number, histories: ReadonlyMap<string, History>): GapReason {
    // A cursor beyond the head belongs to another log, even under the same name.
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
    // What the new log held when the stream was closed is unknown.
    if (this.#ending !== undefined && !goesOn) this.#ending = { reason: this.#ending.reason, at: this.cursor }
    return reason
  }

  /** Adds a channel from now on. `recent` comes first, without ids: an id vouches for the channels of the first join only. */
  add(channel: string, history: History, recent: readonly Entry[]): void {
    const since = history.last
    const member = { channel, history, since, floor: since, covered: since, coveredStates: since }
    this.#line([...this.#members, member])
    for (const { body, frame } of recent) this.#insert(frame.subarray(body), 'recent', channel)
  }

  /** Drops a channel, and what was not taken of it yet. */
  leave(channel: string): void {
    this.#line(this.#members.filter((member) => member.channel !== channel))
    this.#inserts?.leave(channel)
    this.#forgetInserts()
  }

  /** Whether the first blocks were not taken yet. */
  get opening(): boolean {
    return this.#opening !== undefined
  }

  /** Sets the blocks with which the stream begins. */
  open(text: string): void {
    this.#place.straight = undefined
    this.#opening = text
  }

  /** Inserts the application's own bytes after everything that was published so far. */
  insertPrivate(bytes: Buffer): void {
    this.#insert(bytes, 'private')
  }

  /** Inserts a block of the library's own after everything that was published so far. */
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

  /** How many live entries after the cursor are due. */
  get pending(): number {
    return countDue(this.#members, this.cursor)
  }

  /** Has `sse.live` sent at the next position where nothing else is due. */
  markLive(): void {
    this.#place.straight = undefined
    this.#target ??= this.cursor
  }

  /** Puts the stream in step, if only new entries of its channels can follow. */
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

  /** Whether nothing is due but entries of the channels. */
  get #isPlain(): boolean {
    return (
      this.#inserts === undefined &&
      this.#target === undefined &&
      this.#ending === undefined &&
      this.#opening === undefined
    )
  }

  /** The first blocks and `sse.live` as one text, in the common case that nothing else is due. */
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
    // A broker may name its epoch with characters that are not ASCII, though no client can resume with such an id.
    if (Buffer.byteLength(text) !== text.length) return undefined
    this.#place.cursor = cursor
    this.#opening = undefined
    this.#target = undefined
    return frameText(text)
  }

  #takeMixed(limit: number): Slice | undefined {
    const blocks: Buffer[] = []
    let bytes = 0
    /** The only block, if it is a chunk already: most slices of a replay are, and need no copy. */
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
        // The rest does not fit, or begins with a chunk that can be the next slice without a copy.
        if (this.cursor < bound) break
      } else if (!this.#takeMark(push)) break
    }
    if (bytes === 0) return undefined
    const { framed, bytes: unframed } = joined ?? joinBlocks(blocks, bytes)
    return { bytes: unframed, framed, gap, more: bytes >= limit || this.cursor < this.#bound() }
  }

  /** Sets the channels. Any change takes the stream out of step. */
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

  /** Announces what the stream has missed, before anything newer. */
  #takeGap(push: Push): readonly string[] {
    const channels = takeMissed(this.#members, this.cursor)
    if (channels.length > 0) push(gapOf(channels, 'evicted'))
    return channels
  }

  /** How far the cursor may go: to the next insert or the end of the stream, as far as every log is complete. */
  #bound(): number {
    const next = this.#inserts?.next ?? this.#ending?.at
    if (this.#members.length === 0) return Math.max(this.cursor, next ?? this.#target ?? this.cursor)
    let bound = next ?? Number.POSITIVE_INFINITY
    for (const { history } of this.#members) bound = Math.min(bound, history.head.g)
    return bound
  }

  /** Takes `sse.live` or `sse.close`, when nothing else is due before it. */
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
