import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { encodeRetry } from '@sse/protocol'
import { SLICE } from './chunk.ts'
import { Delivery } from './delivery.ts'
import type { History } from './history.ts'
import { isOver, type Outgoing, Outlet, type StreamResponse } from './outlet.ts'
import { letGoOfRouters } from './request.ts'
import { answered } from './response.ts'
import type { Served, Switchboard } from './switchboard.ts'

/** How many bytes of private events may wait for a slow reader. One that falls further behind is disconnected. */
const PRIVATE_LIMIT = 1024 * 1024

/** What a feed asks and tells the stream that it belongs to. */
export interface Fed {
  /** Whether a join of the channel waits for another one. */
  awaits(channel: string): boolean
  /** The log was reset: the channels must be read again, when it is their turn. */
  restart(): void
  /** Something was written or taken: the reader may be able to take more. */
  moved(): void
  /** Nothing more can be sent, though what was sent may still be on its way. */
  finished(): void
  /** The response has closed. */
  ended(): void
  /** The response was let go of: it is no stream yet. */
  withdrawn(): void
}

/**
 * A stream as the hub serves it: writes what its delivery has, as fast as its outlet takes it. It is made when a response is
 * to become a stream, whose handlers and joins fill the delivery.
 */
export class Feed<S extends Fed> implements Served<S>, Outgoing {
  // First the fields that a pass reads of a stream in step.
  cursor = 0
  quiet = 0
  straight: Socket | undefined = undefined
  followed: History | undefined = undefined
  histories: readonly History[] | undefined = undefined
  stalled = 0
  readonly stream: S
  readonly delivery: Delivery = new Delivery(this)
  /** Set during the first join and a restart: nothing is delivered until the broker has answered. */
  reading = false

  readonly #board: Switchboard<S>
  readonly #request: IncomingMessage
  readonly #response: StreamResponse
  #outlet: Outlet | undefined
  /** Whether the head is sent and the hub was told. Before that, the handler may still send another response. */
  #connected = false
  #over = false

  constructor(board: Switchboard<S>, stream: S, request: IncomingMessage, response: StreamResponse) {
    this.#board = board
    this.stream = stream
    this.#request = request
    this.#response = response
  }

  /** Whether the hub counts it. */
  get open(): boolean {
    return this.#outlet !== undefined && !this.#over
  }

  /** Whether nothing written can reach the reader any more. */
  get gone(): boolean {
    return this.#over || isOver(this.#response)
  }

  /** Whether the reader has to take something before more should be sent. */
  get full(): boolean {
    const { ending, privateBytes } = this.delivery
    return !this.gone && !ending && (this.waiting || privateBytes >= SLICE)
  }

  // Turning a response into a stream

  /**
   * Adds the feed to the hub's.
   *
   * @throws {@link SseError} if the stream is one too many
   */
  admit(): void {
    this.#board.admit(this, this.#request)
    this.#outlet = new Outlet(this.#request, this.#response, this)
  }

  /**
   * Undoes {@link admit}, unless the head is sent: the handler may send another response. What was sent meanwhile is kept for
   * the next admission.
   */
  withdraw(): void {
    if (this.#connected || !this.open) return
    this.#outlet?.detach()
    this.#outlet = undefined
    this.#board.withdraw(this)
    this.stream.withdrawn()
  }

  /**
   * Sends the head, unless it was sent already.
   *
   * @throws {@link SseError} `ERR_SSE_ANSWERED` if the handler has sent another response while the broker was asked; what a
   *   wrapper of the response throws
   */
  sendHead(): void {
    if (this.#connected) return
    if (!this.#outlet?.commit(this.#request)) throw answered()
    letGoOfRouters(this.#request, this.#board.late)
  }

  /** Makes the first blocks; makes them again if the handler sent something before the join that resumes the stream. */
  greet(cursor: string | undefined, replay: number): void {
    if (this.#connected && !this.delivery.opening && cursor === undefined) return
    this.delivery.open(this.#board.opening(cursor, replay))
    if (this.#connected) return
    if (this.#request.method === 'HEAD') this.#outlet?.end()
    this.#connected = true
    this.#board.connected(this)
  }

  // Called by the stream

  /** Inserts private bytes. @returns whether the reader can take more */
  insert(block: string): boolean {
    const { delivery } = this
    delivery.insertPrivate(Buffer.from(block))
    if (delivery.privateBytes >= SLICE) while (this.deliver());
    // Nothing is dropped silently: the client sees the connection end.
    if (delivery.privateBytes > PRIVATE_LIMIT) this.destroy()
    else this.#board.schedule(this)
    return !this.gone && !this.full
  }

  leave(channels: readonly string[]): void {
    for (const channel of channels) {
      // A stream that is over has left already: releasing its channels twice would detach other streams from them.
      if (this.#over || !this.delivery.has(channel)) continue
      this.delivery.leave(channel)
      this.#board.leave(this, [channel])
      // The channels that remain may all have ended, or be ready to move on without this one.
      this.#board.schedule(this)
    }
  }

  /** Ends the stream for good, once everything before was delivered. */
  close(reason: string): void {
    this.delivery.end(reason)
    while (this.deliver());
    this.stream.finished()
  }

  /** Tells the client when to reconnect, just before it is disconnected. */
  retire(retry: number): void {
    if (this.#outlet === undefined || this.delivery.ending) return
    this.delivery.insertControl(encodeRetry(retry))
  }

  // Called by joins

  /** Holds back what is written until {@link uncork}. */
  cork(): void {
    this.#outlet?.cork()
  }

  uncork(): void {
    this.#outlet?.uncork()
    this.stream.moved()
  }

  // Called by the hub

  get waiting(): boolean {
    return this.#outlet !== undefined && (this.#outlet.busy || this.#outlet.filled || this.#outlet.over)
  }

  expects(channel: string): boolean {
    return this.delivery.expecting.includes(channel) || this.stream.awaits(channel)
  }

  deliver(slices = 1): boolean {
    const outlet = this.#outlet
    if (this.reading || outlet === undefined || outlet.busy || outlet.over) return false
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
      this.uncork()
    }
    return more && !this.waiting
  }

  fill(): void {
    this.#outlet?.fill()
  }

  beat(): void {
    if (this.reading || this.delivery.ending) return
    this.deliver()
    if (this.quiet === 0) return
    this.delivery.markLive()
    this.deliver()
  }

  restart(): void {
    this.stream.restart()
  }

  disconnect(): void {
    if (this.gone) {
      if (this.leaving) this.#outlet?.leave()
      return
    }
    while (this.deliver());
    // A response that is no event stream would stop a browser from reconnecting.
    if (this.#outlet === undefined || !this.#response.headersSent) this.#response.destroy()
    else this.#end(this.#outlet)
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
    this.stream.moved()
  }

  ended(): void {
    if (this.#over) return
    const { channels } = this.delivery
    this.#over = true
    this.#board.leave(this, channels)
    this.#board.withdraw(this)
    this.stream.ended()
    if (this.#connected) this.#board.disconnected(this)
  }

  // Writing

  #deliverSlice(outlet: Outlet): boolean {
    const slice = this.delivery.next(SLICE)
    if (slice === undefined) {
      this.#fallIn(outlet)
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
    if (this.delivery.ended || outlet.over) this.#end(outlet)
    this.stream.moved()
    if (slice.more) return !outlet.busy && !outlet.over
    this.#fallIn(outlet)
    return false
  }

  /** Puts the stream in step, if possible: a pass serves such streams without calling {@link deliver}. */
  #fallIn({ straight }: Outlet): void {
    if (straight !== undefined && this.straight === undefined) this.delivery.fallIn(straight)
  }

  /** Ends the response. Producers are told at once, however long the reader takes to receive the rest. */
  #end(outlet: Outlet): void {
    outlet.end()
    this.stream.finished()
  }
}
