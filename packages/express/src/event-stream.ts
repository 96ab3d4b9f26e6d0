import type { IncomingMessage } from 'node:http'
import { type EventInput, type EventName, encodePayload } from '@sse/contract'
import { encodeComment, encodeEvent } from '@sse/protocol'
import { type Fed, Feed } from './feed.ts'
import type { Hub } from './hub.ts'
import { Joining, rejoin } from './joining.ts'
import { checkBytes, checkChannelCount, checkChannels } from './limits.ts'
import { look } from './look.ts'
import { mustBeFirst, type OneOfSeveral } from './other-hubs.ts'
import { isOver, type StreamResponse } from './outlet.ts'
import { pump, type Source } from './producer.ts'
import { readLastEventId } from './request.ts'
import { isClaimable, refuse, refuseFinal } from './response.ts'
import { Signals } from './signals.ts'
import type { JoinOptions, Stream } from './stream.ts'
import type { Switchboard } from './switchboard.ts'
import { Turns } from './turns.ts'
import { watch } from './watched.ts'

/**
 * A {@link Stream} on a response: what handlers call, in the order of their calls. The first of these turns the response into
 * a stream: from then on, the hub serves its feed.
 */
export class EventStream<E> implements Stream<E>, Fed, OneOfSeveral {
  readonly hub: Hub<E>
  readonly before: OneOfSeveral | undefined
  after: OneOfSeveral | undefined
  /** Made on first use, and kept if it is withdrawn. */
  feed: Feed<EventStream<E>> | undefined = undefined

  readonly #board: Switchboard<EventStream<E>>
  readonly #request: IncomingMessage
  readonly #response: StreamResponse
  /** Whether the response has closed, as far as the stream was told. */
  #over = false
  /** Runs joins, and whatever else may wait for the broker, one after the other. */
  readonly #turns = new Turns()
  #signals: Signals | undefined
  #locals: Record<string, unknown> | undefined

  constructor(
    hub: Hub<E>,
    board: Switchboard<EventStream<E>>,
    response: StreamResponse,
    before?: OneOfSeveral,
  ) {
    this.hub = hub
    this.before = before
    if (before !== undefined) before.after = this
    this.#board = board
    this.#request = look(response, 'req')
    this.#response = response
  }

  // Called by handlers

  get lastEventId(): string | undefined {
    return readLastEventId(this.#request)
  }

  get locals(): Record<string, unknown> {
    this.#locals ??= {}
    return this.#locals
  }

  get channels(): readonly string[] {
    return this.feed?.delivery.channels ?? []
  }

  get signal(): AbortSignal {
    const signals = this.#observe()
    const { signal } = signals
    if (this.#complete) signals.abort()
    return signal
  }

  get closed(): Promise<void> {
    const signals = this.#observe()
    const { closed } = signals
    // A response that has ended may still be on its way to a slow reader.
    if (this.#gone && !this.feed?.open) signals.end()
    return closed
  }

  get ready(): Promise<void> {
    if (!this.feed?.full) return Promise.resolve()
    this.#signals ??= new Signals()
    return this.#signals.ready
  }

  send<N extends EventName<E>>(event: N, data: EventInput<E, N>): boolean {
    const encoded = encodePayload(this.#board.options.contract, event, data)
    checkBytes(this.#board.options.limits, event, encoded.data)
    return this.#insert(encodeEvent({ event, data: encoded.data }))
  }

  sendAll<N extends EventName<E>>(event: N, source: Source<EventInput<E, N>>): Promise<void> {
    return watch(this.#sendAll(event, source), (error) => this.#answer(error))
  }

  comment(text: string): boolean {
    checkBytes(this.#board.options.limits, 'comment', text)
    return this.#insert(encodeComment(text))
  }

  join(channels: string | readonly string[], options: JoinOptions = {}): Promise<void> {
    if (typeof options !== 'object')
      throw new TypeError("join takes several channels as one array: join(['news', 'more']).")
    const { last = 0 } = options
    const names = typeof channels === 'string' ? [channels] : channels
    // NaN, from a query that is not a number, counts as 0.
    const joining = this.#turns.take(() => this.#join(names, last || 0), names)
    if (joining === undefined) return Promise.resolve()
    return watch(joining, (error) => this.#answer(error))
  }

  leave(channels: string | readonly string[]): void {
    const names = typeof channels === 'string' ? [channels] : channels
    this.feed?.leave(names)
    // A join in progress takes effect first, so leave its channels afterwards as well.
    if (this.#turns.busy) this.#turns.take(() => this.feed?.leave(names))
  }

  close(reason = 'done'): void {
    if (this.#gone) return
    const end = (): void => {
      if (this.#gone || !this.feed?.open) return
      // Untyped callers may pass something else, which readers would not accept.
      this.feed.close(String(reason))
    }
    // Wait for the first join, with which the stream begins, but for no later one: a broker may take any time.
    const beginning = this.feed?.delivery.epoch === undefined ? this.#turns.last : undefined
    if (beginning === undefined) {
      this.#open()
      end()
    } else {
      beginning.then(end)
    }
  }

  disconnect(): void {
    if (this.feed !== undefined) this.feed.disconnect()
    else if (!this.#gone) this.#response.destroy()
  }

  // Called by the hub

  get unused(): boolean {
    return this.#unclaimed && this.#turns.last === undefined
  }

  retire(retry: number): void {
    this.feed?.retire(retry)
  }

  destroy(): void {
    this.feed?.destroy()
  }

  // Called by the feed

  awaits(channel: string): boolean {
    return this.#turns.awaits(channel)
  }

  restart(): void {
    const { feed } = this
    if (feed === undefined) return
    const joined = feed.delivery.epoch !== undefined
    this.#turns
      .take(() => rejoin(this.#board, feed, joined))
      ?.catch((error) => {
        // The client reconnects with its cursor, and then learns what it missed. The former log may be incomplete, so deliver
        // no more of it.
        feed.destroy()
        this.#board.failed(error)
      })
  }

  moved(): void {
    if (this.#signals !== undefined && !this.feed?.full) this.#signals.settle()
  }

  finished(): void {
    this.#signals?.abort()
  }

  ended(): void {
    this.#over = true
    this.#signals?.end()
  }

  withdrawn(): void {
    if (this.#signals !== undefined) this.#observe()
  }

  // Turning a response into a stream

  /** Turns the response into a stream, unless it is one already. */
  #open(): void {
    if (!this.#unclaimed || !this.#claim()) return
    const feed = this.#feed()
    feed.admit()
    try {
      feed.sendHead()
    } catch (error) {
      feed.withdraw()
      throw error
    }
    feed.greet(undefined, 0)
  }

  /** Whether the response may become a stream. Answers 204 if the reader has had all of it, also without the middleware. */
  #claim(): boolean {
    mustBeFirst(this)
    return isClaimable(this.#request, this.#response) && !refuseFinal(this.#response, this.lastEventId)
  }

  #feed(): Feed<EventStream<E>> {
    this.feed ??= new Feed(this.#board, this, this.#request, this.#response)
    return this.feed
  }

  #join(names: readonly string[], last: number): void | Promise<void> {
    const { limits } = this.#board.options
    checkChannels(limits, names)
    const { lastEventId } = this
    const admitted = this.#unclaimed
    if (admitted ? !this.#claim() : this.#complete) return
    const feed = this.#feed()
    const added = feed.delivery.unjoined(names)
    if (added.length === 0 && feed.delivery.epoch !== undefined) return
    checkChannelCount(limits, feed.delivery.size + added.length)
    if (admitted) feed.admit()
    return new Joining(this.#board, feed, { added, lastEventId, last, admitted }).start()
  }

  #insert(block: string): boolean {
    if (!this.#unclaimed && this.#complete) return false
    this.#open()
    if (this.feed === undefined || this.#gone) return false
    return this.feed.insert(block)
  }

  async #sendAll<N extends EventName<E>>(event: N, source: Source<EventInput<E, N>>): Promise<void> {
    this.#open()
    try {
      await pump(source, this.signal, (data) => (this.send(event, data) ? undefined : this.ready))
    } catch (error) {
      if (!this.#unclaimed) this.close('error')
      throw error
    }
  }

  /** Reports a failure that the handler does not handle to the hub, and sends the response in its place. */
  #answer(error: unknown): void {
    if (this.#unclaimed && !this.#gone && !this.#response.headersSent) refuse(this.#response, error)
    this.#board.failed(error)
  }

  // Being observed

  /** Also notices the end of a response that is no stream yet: the reader may leave during authorisation. */
  #observe(): Signals {
    this.#signals ??= new Signals()
    if (this.#unclaimed && !this.#signals.observed) {
      this.#signals.observed = true
      this.#response.once('close', () => (this.feed ?? this).ended())
    }
    return this.#signals
  }

  /** Whether the response is no stream yet, and may be used for something else. */
  get #unclaimed(): boolean {
    return !this.#over && !this.feed?.open
  }

  /** Whether nothing more can be sent. */
  get #complete(): boolean {
    return this.#gone || this.feed?.delivery.ending === true
  }

  get #gone(): boolean {
    return this.#over || isOver(this.#response)
  }
}
