import { type Admission, admit } from './admission.ts'
import type { Reading } from './broker.ts'
import { judgeCursor } from './cursor.ts'
import { NO_CHANNELS } from './delivery.ts'
import type { Fed, Feed } from './feed.ts'
import type { Switchboard } from './switchboard.ts'

/** What is to be joined, and how. */
interface Terms {
  /** Channels that the feed does not have yet. */
  readonly added: readonly string[]
  readonly lastEventId: string | undefined
  /** How many of the newest entries of each channel are sent first. */
  readonly last: number
  /** Whether the feed was admitted for this join, and is withdrawn if it fails. */
  readonly admitted: boolean
}

/** A join in progress: has the broker read channels, and adds them to a feed. */
export class Joining<S extends Fed> {
  readonly #board: Switchboard<S>
  readonly #feed: Feed<S>
  readonly #terms: Terms

  constructor(board: Switchboard<S>, feed: Feed<S>, terms: Terms) {
    this.#board = board
    this.#feed = feed
    this.#terms = terms
  }

  /** @returns without a promise if the broker answers without one */
  start(): void | Promise<void> {
    const { added, lastEventId } = this.#terms
    const { delivery } = this.#feed
    // Nothing can be delivered before the first join is done. During a later one, delivery goes on.
    this.#feed.reading = delivery.epoch === undefined
    delivery.expecting = added
    try {
      const reading = this.#board.attach(added, lastEventId)
      if ('then' in reading) {
        return reading.then((reading) => this.#enter(reading)).catch((error) => this.#fail(error))
      }
      this.#enter(reading)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): never {
    const feed = this.#feed
    feed.delivery.expecting = NO_CHANNELS
    feed.reading = false
    if (this.#terms.admitted) feed.withdraw()
    // All of its other channels may have ended meanwhile.
    if (feed.open) this.#board.schedule(feed)
    throw error
  }

  #enter(reading: Reading): void {
    const feed = this.#feed
    const { delivery } = feed
    // The reader may have left, or the stream been closed, while the broker was asked.
    if (feed.gone || (delivery.ending && delivery.epoch !== undefined)) {
      delivery.expecting = NO_CHANNELS
      feed.reading = false
      this.#board.release(this.#terms.added)
      return
    }
    let more = false
    feed.cork()
    try {
      this.#take(reading)
      // At once, together with the head: by the next pass, the response is out of the CPU's caches.
      more = feed.deliver() || feed.waiting
    } finally {
      feed.uncork()
      if (more) this.#board.schedule(feed)
    }
  }

  #take(reading: Reading): void {
    const feed = this.#feed
    const { added } = this.#terms
    feed.delivery.expecting = NO_CHANNELS
    // First, so that a `gap` or `connect` listener can leave these channels.
    this.#board.enter(feed, added)
    try {
      if (feed.delivery.epoch === undefined) this.#begin(reading)
      else this.#extend(reading)
    } catch (error) {
      this.#board.leave(feed, added)
      throw error
    }
    feed.reading = false
    this.#board.count(feed)
  }

  /** Begins a delivery with its first channels, to which the cursor of the request applies. */
  #begin(reading: Reading): void {
    const feed = this.#feed
    const { delivery } = feed
    const { last, lastEventId } = this.#terms
    feed.sendHead()
    const admission = admit(reading, lastEventId, last, this.#board.options.limits)
    for (const { channels, reason } of admission.gaps) delivery.insertGap(channels, reason)
    delivery.start(reading.epoch, admission.cursor, reading.head, admission.members)
    this.#announce(admission.gaps)
    feed.greet(admission.resumed ? lastEventId : undefined, delivery.pending)
  }

  /**
   * Adds channels to a delivery that has begun, from now on: the cursor covers the channels of the first join only. All of
   * them are a gap for a reader that resumes, for a new one what `last` could not replay.
   */
  #extend(reading: Reading): void {
    const { delivery } = this.#feed
    const { last, lastEventId } = this.#terms
    const { epoch, head, histories } = reading
    const returning = judgeCursor(lastEventId, epoch, head).kind !== 'fresh'
    const admission = admit(reading, undefined, last, this.#board.options.limits)
    const gaps = returning ? [{ channels: [...histories.keys()], reason: 'joined' as const }] : admission.gaps
    for (const { channels, reason } of gaps) delivery.insertGap(channels, reason)
    for (const { channel, history, since } of admission.members) {
      delivery.add(channel, history, history.recent(since))
    }
    this.#announce(gaps)
  }

  /** Reports to the hub what the reader is told it missed. */
  #announce(gaps: Admission['gaps']): void {
    for (const { channels, reason } of gaps) this.#board.missed(this.#feed, channels, reason)
  }
}

/**
 * Reads a feed's channels again, since their log was reset.
 *
 * @param joined - whether the feed had histories of the former log, and not just a join in progress
 */
export async function rejoin<S extends Fed>(
  board: Switchboard<S>,
  feed: Feed<S>,
  joined: boolean,
): Promise<void> {
  const { delivery } = feed
  if (!feed.open || delivery.epoch === undefined) return
  feed.reading = true
  feed.straight = undefined
  try {
    const { epoch, head, histories } = await board.read(delivery.channels, undefined)
    if (feed.gone) return
    // The join may have read the new log itself.
    if (joined || !delivery.reads(histories)) {
      const reason = delivery.restart(epoch, head, histories)
      if (delivery.size > 0) board.missed(feed, delivery.channels, reason)
    }
  } finally {
    feed.reading = false
  }
  board.schedule(feed)
}
