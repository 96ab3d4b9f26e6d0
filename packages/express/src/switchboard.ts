import type { IncomingMessage } from 'node:http'
import { encodeControl, encodeRetry, type GapReason } from '@sse/protocol'
import type { BrokerSink, Reading } from './broker.ts'
import { parseCursor } from './cursor.ts'
import type { Message } from './entry.ts'
import { SseError } from './errors.ts'
import { checkBytes } from './limits.ts'
import type { ResolvedOptions } from './options.ts'
import { Pass, type Passed } from './pass.ts'
import { createPulse, type Pulse } from './pulse.ts'

/** What a switchboard needs of a stream: its feed. */
export interface Served<S> extends Passed {
  /** The stream as the application knows it. */
  readonly stream: S
  /** For how many beats written bytes have waited for the reader. */
  stalled: number
  /** Whether a join of the channel is in progress, or waits for another one. */
  expects(channel: string): boolean
  /** Sends a heartbeat if the stream is still quiet. */
  beat(): void
  /** Reads its channels again, since their log was reset. */
  restart(): void
  /** Ends the connection; the client reconnects. */
  disconnect(): void
  /** Cuts the connection. */
  destroy(): void
}

/** What a switchboard reports. */
export interface SwitchboardEvents<S> {
  connected(stream: S): void
  disconnected(stream: S): void
  missed(stream: S, channels: readonly string[], reason: GapReason): void
  published(channel: string): void
  failed(error: unknown): void
}

/** Beats per heartbeat interval: a quiet stream is noticed at most one beat late. */
const BEATS = 3

/** Knows all streams and the channels that they joined; detects quiet and stalled ones. */
export class Switchboard<S> implements BrokerSink {
  readonly options: ResolvedOptions
  /** The streams that were admitted and are not over. */
  readonly streams: Set<S> = new Set()
  /** Whether new streams are refused. */
  closing = false

  /** Their feeds. */
  readonly #feeds = new Set<Served<S>>()
  readonly #events: SwitchboardEvents<S>
  readonly #pulse: Pulse
  readonly #stallBeats: number
  readonly #clients = new Map<string, number>()
  /** The client of each stream, if `streamsPerClient` is set: a request no longer knows it once its socket is closed. */
  readonly #clientOf = new Map<Served<S>, string>()
  /** By channel, its streams, and how many uses keep it attached: these, joins in progress and producers. */
  readonly #audiences = new Map<string, { readonly feeds: Set<Served<S>>; uses: number }>()
  readonly #pass = new Pass<Served<S>>()
  readonly #fresh: string

  constructor(options: ResolvedOptions, events: SwitchboardEvents<S>) {
    this.options = options
    this.#fresh = this.#encodeOpen(undefined, 0)
    this.#events = events
    const interval = Math.min(options.heartbeat, options.stallTimeout) / BEATS
    this.#stallBeats = Math.ceil(options.stallTimeout / interval)
    const quietBeats = Math.round(options.heartbeat / interval)
    this.#pulse = createPulse(interval, () => this.#beat(quietBeats))
  }

  // Called by feeds and joins

  /** @throws {@link SseError} if the stream is one too many */
  admit(feed: Served<S>, request: IncomingMessage): void {
    const { client, limits, retry } = this.options
    const later = () => ({ headers: { 'Retry-After': String(Math.ceil(retry / 1000)) } })
    if (this.closing) {
      throw new SseError('ERR_SSE_CLOSING', 503, 'The hub is closing and takes no new streams.', later())
    }
    if (this.streams.size >= limits.streams) {
      const message = `There are ${limits.streams} streams already: raise limits.streams, or add a server.`
      throw new SseError('ERR_SSE_TOO_MANY_STREAMS', 503, message, later())
    }
    if (limits.streamsPerClient !== Number.POSITIVE_INFINITY) {
      const key = client(request)
      const count = this.#clients.get(key) ?? 0
      if (count >= limits.streamsPerClient) {
        const message = `This client has ${count} streams already: raise limits.streamsPerClient, or tell clients apart by the client option.`
        throw new SseError('ERR_SSE_TOO_MANY_STREAMS', 503, message, later())
      }
      this.#clients.set(key, count + 1)
      this.#clientOf.set(feed, key)
    }
    this.#feeds.add(feed)
    this.streams.add(feed.stream)
    this.#pulse.start()
  }

  /** Undoes {@link admit}. */
  withdraw(feed: Served<S>): void {
    if (!this.#feeds.delete(feed)) return
    this.streams.delete(feed.stream)
    this.#pass.forget(feed)
    const key = this.#clientOf.get(feed)
    if (key !== undefined) {
      this.#clientOf.delete(feed)
      const count = this.#clients.get(key) ?? 0
      if (count > 1) this.#clients.set(key, count - 1)
      else this.#clients.delete(key)
    }
    if (this.streams.size === 0) this.#pulse.stop()
  }

  /**
   * Attaches to channels and reads them. Every success must be followed by {@link release}, or {@link enter} and later
   * {@link leave}.
   *
   * @returns without a promise if the broker answers without one
   */
  attach(channels: readonly string[], lastEventId?: string): Reading | Promise<Reading> {
    for (const channel of channels) {
      const audience = this.#audiences.get(channel)
      if (audience === undefined) this.#audiences.set(channel, { feeds: new Set(), uses: 1 })
      else audience.uses += 1
    }
    const undo = (error: unknown): never => {
      this.release(channels)
      throw error
    }
    try {
      const attached = this.options.broker.attach(channels, this)
      const reading =
        attached === undefined
          ? this.read(channels, lastEventId)
          : attached.then(() => this.read(channels, lastEventId))
      return 'then' in reading ? reading.catch(undo) : reading
    } catch (error) {
      return undo(error)
    }
  }

  release(channels: readonly string[]): void {
    for (const channel of channels) {
      const audience = this.#audiences.get(channel)
      if (audience === undefined) continue
      audience.uses -= 1
      if (audience.uses > 0) continue
      this.#audiences.delete(channel)
      this.options.broker.detach(channel, this)
    }
  }

  publish(channel: string, message: Message): Promise<string> {
    const { broker, retentionOf } = this.options
    if (message.kind === 'event') checkBytes(this.options.limits, message.event, message.data)
    if (message.kind === 'remove') checkBytes(this.options.limits, message.event, message.key)
    this.#events.published(channel)
    return broker.publish(channel, message, retentionOf(channel))
  }

  read(channels: readonly string[], lastEventId: string | undefined): Reading | Promise<Reading> {
    const cursor = lastEventId === undefined ? undefined : parseCursor(lastEventId)
    return this.options.broker.read(channels, cursor?.g, cursor?.epoch)
  }

  enter(feed: Served<S>, channels: readonly string[]): void {
    for (const channel of channels) this.#audiences.get(channel)?.feeds.add(feed)
  }

  /** From now on, the stream is offered entries before they are dropped. */
  count(feed: Served<S>): void {
    this.#pass.count(feed)
  }

  leave(feed: Served<S>, channels: readonly string[]): void {
    for (const channel of channels) this.#audiences.get(channel)?.feeds.delete(feed)
    this.release(channels)
  }

  /** Serves the stream at the end of this turn. */
  schedule(feed: Served<S>): void {
    this.#pass.schedule(feed)
  }

  connected({ stream }: Served<S>): void {
    this.#events.connected(stream)
  }

  disconnected({ stream }: Served<S>): void {
    this.#events.disconnected(stream)
  }

  missed({ stream }: Served<S>, channels: readonly string[], reason: GapReason): void {
    this.#events.missed(stream, channels, reason)
  }

  failed(error: unknown): void {
    this.#events.failed(error)
  }

  /** Replaces Express's `req.next` on all streams: a handler may call `sendFile` or `render` by mistake, which call it. */
  readonly late = (error?: unknown): void => {
    if (error !== undefined) this.failed(error)
  }

  /** The first blocks of a stream, with the accepted cursor. Most readers are new, and share `#fresh`. */
  opening(cursor: string | undefined, replay: number): string {
    const open = cursor === undefined && replay === 0 ? this.#fresh : this.#encodeOpen(cursor, replay)
    return encodeRetry(this.jitteredRetry()) + open
  }

  /** After how long a client is to reconnect, in milliseconds: jittered, so that a restart makes no herd. */
  jitteredRetry(): number {
    return Math.round(this.options.retry * (0.5 + Math.random()))
  }

  // Called by the broker

  changed(channel: string): void {
    const audience = this.#audiences.get(channel)
    if (audience !== undefined) this.#pass.scheduleAll(audience.feeds)
  }

  beforeEviction(upTo?: number): void {
    this.#pass.hurry(upTo)
  }

  reset(): void {
    for (const feed of this.#feeds) feed.restart()
  }

  disconnect(channel: string): void {
    const joined = this.#audiences.get(channel)?.feeds
    // Streams that are still joining were authorised before, like the others.
    const authorised = [...this.#feeds].filter((feed) => joined?.has(feed) || feed.expects(channel))
    for (const feed of authorised) feed.disconnect()
  }

  // Called by the hub

  /** How many streams a channel has. */
  size(channel: string): number {
    return this.#audiences.get(channel)?.feeds.size ?? 0
  }

  /** How many channels are in use, by joins in progress and producers too. */
  get channels(): number {
    return this.#audiences.size
  }

  #encodeOpen(cursor: string | undefined, replay: number): string {
    const { heartbeat } = this.options
    return encodeControl('sse.open', { heartbeat, resumed: cursor !== undefined, replay }, cursor)
  }

  #beat(quietBeats: number): void {
    for (const feed of this.#feeds) {
      if (feed.waiting) {
        // Counted in beats, of which a stalled event loop makes but one: no reader is blamed for it.
        feed.stalled += 1
        if (feed.stalled > this.#stallBeats) feed.destroy()
      } else {
        feed.quiet += 1
        if (feed.quiet >= quietBeats) feed.beat()
      }
    }
  }
}
