import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type EventInput, type EventName, encodePayload } from '@sse/contract'
import { encodeComment, encodeEvent, encodeRetry } from '@sse/protocol'
import type { Admission } from './admission.ts'
import { SLICE } from './chunk.ts'
import { Delivery, NO_CHANNELS } from './delivery.ts'
import type { History } from './history.ts'
import type { Hub } from './hub.ts'
import { begin, extend, type Joining } from './joining.ts'
import { checkBytes, checkChannelCount, checkChannels } from './limits.ts'
import { look } from './look.ts'
import { mustBeFirst, type OneOfSeveral } from './other-hubs.ts'
import { isOver, Outlet, type StreamResponse } from './outlet.ts'
import { pump, type Source } from './producer.ts'
import { letGoOfRouters, readLastEventId } from './request.ts'
import { answered, isClaimable, refuse, refuseFinal } from './response.ts'
import { Signals } from './signals.ts'
import type { JoinOptions, Stream } from './stream.ts'
import type { Served, Switchboard } from './switchboard.ts'
import { Turns } from './turns.ts'
import { watch } from './watched.ts'

/** How many bytes of private events may wait for a slow reader. One that falls further behind is disconnected. */
const PRIVATE_LIMIT = 1024 * 1024

/** `open` while the hub counts the stream. Until the head is sent, the handler may still send another response. */
type Phase = 'unused' | 'open' | 'over'

/** A {@link Stream} on a response: joins, sends, and writes what its delivery has, as fast as its outlet takes it. */
export class EventStream<E> implements Stream<E>, Served, OneOfSeveral {
  // First the fields that a pass reads of a stream in step.
  cursor = 0
  quiet = 0
  straight: Socket | undefined = undefined
  followed: History | undefined = undefined
  histories: readonly History[] | undefined = undefined
  stalled = 0
  readonly hub: Hub<E>
  readonly before: OneOfSeveral | undefined
  after: OneOfSeveral | undefined

  readonly #board: Switchboard<EventStream<E>>
  readonly #request: IncomingMessage
  readonly #response: StreamResponse
  readonly #delivery = new Delivery(this)
  #outlet: Outlet | undefined
  #phase: Phase = 'unused'
  /** Set during the first join and a restart: nothing is delivered until the broker has answered. */
  #reading = false
  /** Whether the head is sent and the hub was told. Before that, the handler may still send another response. */
  #connected = false
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
    return this.#delivery.channels
  }

  get signal(): AbortSignal {
    const signals = this.#observe()
    const { signal } = signals
    if (this.#gone || this.#delivery.ending) signals.abort()
    return signal
  }

  get closed(): Promise<void> {
    const signals = this.#observe()
    const { closed } = signals
    // A response that has ended may still be on its way to a slow reader.
    if (this.#outlet === undefined ? this.#gone : this.#phase === 'over') signals.end()
    return closed
  }

  get ready(): Promise<void> {
    if (!this.#full) return Promise.resolve()
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
    const joining = this.#turns.take(() => this.#join(names, last || 0))
    if (joining === undefined) return Promise.resolve()
    return watch(joining, (error) => this.#answer(error))
  }

  leave(channels: string | readonly string[]): void {
    const names = typeof channels === 'string' ? [channels] : channels
    this.#leave(names)
    // A join in progress takes effect first, so leave its channels afterwards as well.
    if (this.#turns.busy) this.#turns.take(() => this.#leave(names))
  }

  close(reason = 'done'): void {
    if (this.#gone) return
    const end = (): void => {
      if (this.#gone || this.#phase === 'unused') return
      // Untyped callers may pass something else, which readers would not accept.
      this.#delivery.end(String(reason))
      while (this.deliver());
      this.#signals?.abort()
    }
    // Wait for the first join, with which the stream begins, but for no later one: a broker may take any time.
    const beginning = this.#delivery.epoch === undefined ? this.#turns.last : undefined
    if (beginning === undefined) {
      this.#open()
      end()
    } else {
      beginning.then(end)
    }
  }

  disconnect(): void {
    if (this.#gone) {
      if (this.leaving) this.#outlet?.leave()
      return
    }
    while (this.deliver());
    // A response that is no event stream would stop a browser from reconnecting.
    if (this.#outlet === undefined || !this.#response.headersSent) this.#response.destroy()
    else this.#end(this.#outlet)
  }

  // Called by the hub

  get unused(): boolean {
    return this.#phase === 'unused' && this.#turns.last === undefined
  }

  get waiting(): boolean {
    return this.#outlet !== undefined && (this.#outlet.busy || this.#outlet.filled || this.#outlet.over)
  }

  expects(channel: string): boolean {
    return this.#delivery.expecting.includes(channel)
  }

  deliver(slices = 1): boolean {
    const outlet = this.#outlet
    if (this.#reading || outlet === undefined || outlet.busy || outlet.over) return false
    if (outlet.filled) {
      // A listener writes while the socket is corked and full: go on later.
      this.#board.schedule(this)
      return false
    }
    if (slices === 1 || outlet.straight === undefined || !outlet.cork()) return this.#deliverSlice(outlet)
    let more = true
    try {
      for (let slice = 0; more && slice < slices; slice++) more = this.#deliverSlice(outlet)
    } finally {
      this.#uncork(outlet)
    }
    return more && !this.waiting
  }

  fill(): void {
    this.#outlet?.fill()
  }

  beat(): void {
    if (this.#reading || this.#delivery.ending) return
    this.deliver()
    if (this.quiet === 0) return
    this.#delivery.markLive()
    this.deliver()
  }

  restart(): void {
    const joined = this.#delivery.epoch !== undefined
    this.#turns
      .take(() => this.#restart(joined))
      ?.catch((error) => {
        // The client reconnects with its cursor, and then learns what it missed. The former log may be incomplete, so deliver
        // no more of it.
        this.destroy()
        this.#board.failed(error)
      })
  }

  /** Tells the client when to reconnect, just before it is disconnected. */
  retire(retry: number): void {
    if (this.#outlet === undefined || this.#delivery.ending) return
    this.#delivery.insertControl(encodeRetry(retry))
  }

  destroy(): void {
    this.#outlet?.destroy()
  }

  // Called by the outlet

  get leaving(): boolean {
    return this.#board.closing
  }

  drained(): void {
    this.stalled = 0
    if (this.deliver()) this.#board.schedule(this)
    this.#board.count(this)
    this.#settle()
  }

  ended(): void {
    if (this.#phase === 'over') return
    const channels = this.channels
    this.#phase = 'over'
    this.#board.leave(this, channels)
    this.#board.withdraw(this)
    this.#signals?.end()
    if (this.#connected) this.#board.disconnected(this)
  }

  // Turning a response into a stream

  /** Turns the response into a stream, unless it is one already. */
  #open(): void {
    if (this.#phase !== 'unused' || !this.#claim()) return
    this.#admit()
    try {
      this.#sendHead()
    } catch (error) {
      this.#withdraw()
      throw error
    }
    this.#greet(undefined, 0)
  }

  /** Whether the response may become a stream. Answers 204 if the reader has had all of it, also without the middleware. */
  #claim(): boolean {
    mustBeFirst(this)
    return isClaimable(this.#request, this.#response) && !refuseFinal(this.#response, this.lastEventId)
  }

  /** Adds the stream to the hub's. */
  #admit(): void {
    this.#board.admit(this, this.#request)
    this.#outlet = new Outlet(this.#request, this.#response, this)
    this.#phase = 'open'
  }

  /** Undoes {@link #admit}: the handler may send another response. */
  #withdraw(): void {
    this.#outlet?.detach()
    this.#outlet = undefined
    this.#phase = 'unused'
    this.#board.withdraw(this)
    if (this.#signals !== undefined) this.#observe()
  }

  /**
   * Sends the head, unless it was sent already.
   *
   * @throws {@link SseError} `ERR_SSE_ANSWERED` if the handler has sent another response while the broker was asked; what a
   *   wrapper of the response throws
   */
  #sendHead(): void {
    if (this.#connected) return
    if (!this.#outlet?.commit(this.#request)) throw answered()
    letGoOfRouters(this.#request, this.#board.late)
  }

  /** Makes the first blocks; makes them again if the handler sent something before the join that resumes the stream. */
  #greet(cursor: string | undefined, replay: number): void {
    if (this.#connected && !this.#delivery.opening && cursor === undefined) return
    this.#delivery.open(this.#board.opening(cursor, replay))
    if (this.#connected) return
    if (this.#request.method === 'HEAD') this.#outlet?.end()
    this.#connected = true
    this.#board.connected(this)
  }

  /** Reports a failure that the handler does not handle to the hub, and sends the response in its place. */
  #answer(error: unknown): void {
    if (this.#phase === 'unused' && !this.#gone && !this.#response.headersSent) refuse(this.#response, error)
    this.#board.failed(error)
  }

  // Joining

  #join(names: readonly string[], last: number): void | Promise<void> {
    const { limits } = this.#board.options
    checkChannels(limits, names)
    const { lastEventId } = this
    const unused = this.#phase === 'unused'
    if (unused ? !this.#claim() : this.#gone || this.#delivery.ending) return
    const added = this.#delivery.unjoined(names)
    if (added.length === 0 && this.#delivery.epoch !== undefined) return
    checkChannelCount(limits, this.#delivery.size + added.length)
    if (unused) this.#admit()
    // Nothing can be delivered before the first join is done. During a later one, delivery goes on.
    this.#reading = this.#delivery.epoch === undefined
    this.#delivery.expecting = added
    const failed = (error: unknown): never => {
      this.#delivery.expecting = NO_CHANNELS
      this.#reading = false
      if (this.#phase === 'open' && unused && !this.#connected) this.#withdraw()
      // All of its other channels may have ended meanwhile.
      if (this.#phase === 'open') this.#board.schedule(this)
      throw error
    }
    try {
      const reading = this.#board.attach(added, lastEventId)
      if ('then' in reading) {
        return reading.then((reading) => this.#enter(added, { reading, lastEventId, last })).catch(failed)
      }
      this.#enter(added, { reading, lastEventId, last })
    } catch (error) {
      failed(error)
    }
  }

  #enter(added: readonly string[], joining: Joining): void {
    // The reader may have left, or the stream been closed, while the broker was asked.
    if (this.#gone || (this.#delivery.ending && this.#delivery.epoch !== undefined)) {
      this.#delivery.expecting = NO_CHANNELS
      this.#reading = false
      this.#board.release(added)
      return
    }
    const outlet = this.#outlet
    let more = false
    outlet?.cork()
    try {
      this.#take(added, joining)
      // At once, together with the head: by the next pass, the response is out of the CPU's caches.
      more = this.deliver() || this.waiting
    } finally {
      if (outlet !== undefined) this.#uncork(outlet)
      if (more) this.#board.schedule(this)
    }
  }

  #take(added: readonly string[], joining: Joining): void {
    this.#delivery.expecting = NO_CHANNELS
    // First, so that a `gap` or `connect` listener can leave these channels.
    this.#board.enter(this, added)
    try {
      if (this.#delivery.epoch === undefined) this.#begin(joining)
      else this.#announce(extend(this.#delivery, joining, this.#board.options.limits))
    } catch (error) {
      this.#board.leave(this, added)
      throw error
    }
    this.#reading = false
    this.#board.count(this)
  }

  #begin(joining: Joining): void {
    this.#sendHead()
    const { gaps, resumed } = begin(this.#delivery, joining, this.#board.options.limits)
    this.#announce(gaps)
    this.#greet(resumed ? joining.lastEventId : undefined, this.#delivery.pending)
  }

  /** Reports to the hub what the reader is told it missed. */
  #announce(gaps: Admission['gaps']): void {
    for (const { channels, reason } of gaps) this.#board.missed(this, channels, reason)
  }

  #leave(channels: readonly string[]): void {
    for (const channel of channels) {
      // A stream that is over has left already: releasing its channels twice would detach other streams from them.
      if (this.#phase === 'over' || !this.#delivery.has(channel)) continue
      this.#delivery.leave(channel)
      this.#board.leave(this, [channel])
      // The channels that remain may all have ended, or be ready to move on without this one.
      this.#board.schedule(this)
    }
  }

  /** @param joined - whether the stream had histories of the former log, and not just a join in progress */
  async #restart(joined: boolean): Promise<void> {
    if (this.#phase !== 'open' || this.#delivery.epoch === undefined) return
    this.#reading = true
    this.straight = undefined
    try {
      const { epoch, head, histories } = await this.#board.read(this.channels, undefined)
      if (this.#gone) return
      // The join may have read the new log itself.
      if (joined || !this.#delivery.reads(histories)) {
        const reason = this.#delivery.restart(epoch, head, histories)
        if (this.#delivery.size > 0) this.#board.missed(this, this.channels, reason)
      }
    } finally {
      this.#reading = false
    }
    this.#board.schedule(this)
  }

  // Writing

  #insert(block: string): boolean {
    if (this.#phase !== 'unused' && (this.#gone || this.#delivery.ending)) return false
    this.#open()
    if (this.#gone) return false
    this.#delivery.insertPrivate(Buffer.from(block))
    if (this.#delivery.privateBytes >= SLICE) while (this.deliver());
    // Nothing is dropped silently: the client sees the connection end.
    if (this.#delivery.privateBytes > PRIVATE_LIMIT) this.destroy()
    else this.#board.schedule(this)
    return !this.#gone && !this.#full
  }

  async #sendAll<N extends EventName<E>>(event: N, source: Source<EventInput<E, N>>): Promise<void> {
    this.#open()
    try {
      await pump(source, this.signal, (data) => (this.send(event, data) ? undefined : this.ready))
    } catch (error) {
      if (this.#phase !== 'unused') this.close('error')
      throw error
    }
  }

  #deliverSlice(outlet: Outlet): boolean {
    const slice = this.#delivery.next(SLICE)
    if (slice === undefined) {
      this.#fallIn()
      return false
    }
    try {
      outlet.write(slice)
    } catch (error) {
      // A wrapper of the response threw: only this stream ends.
      outlet.destroy()
      this.#board.failed(error)
      return false
    }
    this.quiet = 0
    if (slice.gap !== undefined && slice.gap.length > 0) this.#board.missed(this, slice.gap, 'evicted')
    if (this.#delivery.ended || outlet.over) this.#end(outlet)
    this.#settle()
    if (slice.more) return !outlet.busy && !outlet.over
    this.#fallIn()
    return false
  }

  #uncork(outlet: Outlet): void {
    outlet.uncork()
    this.#settle()
  }

  /** Puts the stream in step, if possible: a pass serves such streams without calling {@link deliver}. */
  #fallIn(): void {
    const straight = this.#outlet?.straight
    if (straight !== undefined && this.straight === undefined) this.#delivery.fallIn(straight)
  }

  /** Ends the response. Producers are told at once, however long the reader takes to receive the rest. */
  #end(outlet: Outlet): void {
    outlet.end()
    this.#signals?.abort()
  }

  // Being observed

  /** Also notices the end of a response that is no stream yet: the reader may leave during authorisation. */
  #observe(): Signals {
    this.#signals ??= new Signals()
    if (this.#phase === 'unused' && !this.#signals.observed) {
      this.#signals.observed = true
      this.#response.once('close', () => this.ended())
    }
    return this.#signals
  }

  /** Resolves `ready` when the reader can take more. */
  #settle(): void {
    if (this.#signals !== undefined && !this.#full) this.#signals.settle()
  }

  get #gone(): boolean {
    return this.#phase === 'over' || isOver(this.#response)
  }

  get #full(): boolean {
    return !this.#gone && !this.#delivery.ending && (this.waiting || this.#delivery.privateBytes >= SLICE)
  }
}
