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

/** Private events that may wait for a slow reader, in bytes. One that falls further behind is cut off. */
const PRIVATE_LIMIT = 1024 * 1024

/** A stream is open while it counts among the hub's; until its head is sent the handler may still answer otherwise. */
type Phase = 'unused' | 'open' | 'over'

/** {@link Stream} over a response: joins, sends, and what of the delivery the outlet can take. */
export class EventStream<E> implements Stream<E>, Served, OneOfSeveral {
  // First, what a pass touches of a stream in step.
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
  /** Set while it is read what comes next, in a log that is new to the stream: nothing is delivered until that is known. */
  #reading = false
  /** Whether the hub has heard of it: a handler may answer otherwise while it joins. */
  #connected = false
  /** Joins, and what else may wait for the broker. */
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

  // What a handler asks for

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
    // What was ended may still be on its way to a slow reader.
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
    // NaN, of a query that is none, asks for nothing.
    const joining = this.#turns.take(() => this.#join(names, last || 0))
    if (joining === undefined) return Promise.resolve()
    return watch(joining, (error) => this.#answer(error))
  }

  leave(channels: string | readonly string[]): void {
    const names = typeof channels === 'string' ? [channels] : channels
    this.#leave(names)
    // A join under way comes first, so it is left as well.
    if (this.#turns.busy) this.#turns.take(() => this.#leave(names))
  }

  close(reason = 'done'): void {
    if (this.#gone) return
    const end = (): void => {
      if (this.#gone || this.#phase === 'unused') return
      // A reader takes no other reason, and JavaScript may give one.
      this.#delivery.end(String(reason))
      while (this.deliver());
      this.#signals?.abort()
    }
    // What it begins with is its due. What comes later is not: nobody knows how long a broker takes for it.
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
    // An answer without the head of a stream would tell a browser never to come back.
    if (this.#outlet === undefined || !this.#response.headersSent) this.#response.destroy()
    else this.#end(this.#outlet)
  }

  // What the hub asks for

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
      // A listener wants more to be written in the midst of a write.
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
        // It comes back with its cursor, which says the same. Not a word more of the former log: it may lack something.
        this.destroy()
        this.#board.failed(error)
      })
  }

  /** Tells the client when to come back, as the last thing before it is sent away. */
  retire(retry: number): void {
    if (this.#outlet === undefined || this.#delivery.ending) return
    this.#delivery.insertControl(encodeRetry(retry))
  }

  destroy(): void {
    this.#outlet?.destroy()
  }

  // What the outlet asks for, and tells

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

  // How a response becomes a stream

  /** Takes the response for a stream, if it was not yet. */
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

  /** Whether the response may become a stream; where its reader has that to the end, it is told, also without a middleware. */
  #claim(): boolean {
    mustBeFirst(this)
    return isClaimable(this.#request, this.#response) && !refuseFinal(this.#response, this.lastEventId)
  }

  /** Counts among the hub's streams. */
  #admit(): void {
    this.#board.admit(this, this.#request)
    this.#outlet = new Outlet(this.#request, this.#response, this)
    this.#phase = 'open'
  }

  /** Undoes {@link #admit}: the handler may answer otherwise. */
  #withdraw(): void {
    this.#outlet?.detach()
    this.#outlet = undefined
    this.#phase = 'unused'
    this.#board.withdraw(this)
    if (this.#signals !== undefined) this.#observe()
  }

  /**
   * Sends the head, if it was not yet, before anything is due.
   *
   * @throws {@link SseError} `ERR_SSE_ANSWERED` if the handler has answered otherwise while the broker was asked; what a
   *   wrapper of the response throws
   */
  #sendHead(): void {
    if (this.#connected) return
    if (!this.#outlet?.commit(this.#request)) throw answered()
    letGoOfRouters(this.#request, this.#board.late)
  }

  /** Makes the first blocks: once more if they were written before the join that has the stream resume after all. */
  #greet(cursor: string | undefined, replay: number): void {
    if (this.#connected && !this.#delivery.opening && cursor === undefined) return
    this.#delivery.open(this.#board.opening(cursor, replay))
    if (this.#connected) return
    if (this.#request.method === 'HEAD') this.#outlet?.end()
    this.#connected = true
    this.#board.connected(this)
  }

  /** Tells the hub of a failure that the handler does not look at, and answers for it. */
  #answer(error: unknown): void {
    if (this.#phase === 'unused' && !this.#gone && !this.#response.headersSent) refuse(this.#response, error)
    this.#board.failed(error)
  }

  // How it joins

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
    // What the stream begins with is known when the first join is done. While it waits for a later one it goes on.
    this.#reading = this.#delivery.epoch === undefined
    this.#delivery.expecting = added
    const failed = (error: unknown): never => {
      this.#delivery.expecting = NO_CHANNELS
      this.#reading = false
      if (this.#phase === 'open' && unused && !this.#connected) this.#withdraw()
      // All that it hears may have ended meanwhile.
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
    // The reader may have left, or been sent away, while the broker was asked.
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
      // At once, beside the head: by the time of a pass nothing of a response is in a cache any more.
      more = this.deliver() || this.waiting
    } finally {
      if (outlet !== undefined) this.#uncork(outlet)
      if (more) this.#board.schedule(this)
    }
  }

  #take(added: readonly string[], joining: Joining): void {
    this.#delivery.expecting = NO_CHANNELS
    // First of all, so that what listeners leave is left.
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

  /** Tells the hub what the reader is told to miss. */
  #announce(gaps: Admission['gaps']): void {
    for (const { channels, reason } of gaps) this.#board.missed(this, channels, reason)
  }

  #leave(channels: readonly string[]): void {
    for (const channel of channels) {
      // What was over has left already, and others may be there still.
      if (this.#phase === 'over' || !this.#delivery.has(channel)) continue
      this.#delivery.leave(channel)
      this.#board.leave(this, [channel])
      // What is left may be the end of all, or waited for it.
      this.#board.schedule(this)
    }
  }

  /** @param joined - whether it had histories of the former log, and not only a join under way */
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

  // How it writes

  #insert(block: string): boolean {
    if (this.#phase !== 'unused' && (this.#gone || this.#delivery.ending)) return false
    this.#open()
    if (this.#gone) return false
    this.#delivery.insertPrivate(Buffer.from(block))
    if (this.#delivery.privateBytes >= SLICE) while (this.deliver());
    // What no longer fits is not dropped in silence: the client sees the connection end.
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
      // Of a wrapper of the response: this stream ends, and nobody else notices.
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

  /** Falls in with those whom a pass serves without a call of {@link deliver}. */
  #fallIn(): void {
    const straight = this.#outlet?.straight
    if (straight !== undefined && this.straight === undefined) this.#delivery.fallIn(straight)
  }

  /** Ends the response. Who makes events for it is told at once, however long the reader takes for the rest. */
  #end(outlet: Outlet): void {
    outlet.end()
    this.#signals?.abort()
  }

  // How it is observed

  /** Notices the end of a response that is no stream yet: the reader may leave while it is authorised. */
  #observe(): Signals {
    this.#signals ??= new Signals()
    if (this.#phase === 'unused' && !this.#signals.observed) {
      this.#signals.observed = true
      this.#response.once('close', () => this.ended())
    }
    return this.#signals
  }

  /** Says that there is room to who waits for it. */
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
