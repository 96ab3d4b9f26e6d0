import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What of a response an event stream needs; HTTP/2's compatible one has it as well. */
export type StreamResponse = ServerResponse & { flush?: () => void }

/** Hears what becomes of a response. */
export interface OutletEvents {
  /** Everything written was taken; more is welcome. */
  drained(): void
  /** The response is over, whoever ended it. */
  closed(): void
}

const HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Type', 'text/event-stream'],
  // `no-transform` keeps compression, which would hold events back, away.
  ['Cache-Control', 'no-cache, no-store, no-transform'],
  ['X-Accel-Buffering', 'no'],
]

/**
 * The one place that touches a response: headers, bytes, backpressure, the end. Listens once to the response and once to
 * its socket, and never writes to one that is over, whose socket may be another response's by then.
 */
export class Outlet {
  /** Whether what was written waits for the reader. */
  busy = false
  /** Whether nothing may be written any more. */
  over = false

  readonly #response: StreamResponse
  readonly #socket: Socket | undefined
  readonly #events: OutletEvents
  readonly #http2: boolean
  #closed = false

  constructor(request: IncomingMessage, response: StreamResponse, events: OutletEvents) {
    this.#response = response
    this.#events = events
    this.#http2 = request.httpVersionMajor >= 2
    // HTTP/2 allows no listeners of ours on its session's socket; its response closes with its stream.
    this.#socket = this.#http2 ? undefined : request.socket
    response.on('close', this.#close)
    response.on('error', this.#close)
    // Once and for all: `compression` forwards `on('drain')`, but not its removal.
    response.on('drain', this.#drain)
    this.#socket?.on('close', this.#close)
  }

  /** Sends the head of the answer; what the handler set before stays in it. */
  commit(keepAlive: number): void {
    const response = this.#response
    response.statusCode = 200
    response.removeHeader('Content-Length')
    for (const [name, value] of HEADERS) response.setHeader(name, value)
    if (!this.#http2 && this.#response.req.httpVersionMinor >= 1)
      response.setHeader('Connection', 'keep-alive')
    this.#socket?.setTimeout(0)
    this.#socket?.setKeepAlive(true, keepAlive)
    response.flushHeaders()
  }

  write(chunks: readonly Buffer[]): void {
    if (this.over) return
    const response = this.#response
    const [first] = chunks
    const accepted = response.write(
      chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks),
    )
    if (response.flush !== undefined) {
      // A compressing wrapper: `writableLength` says nothing of what waits in it.
      response.flush()
      this.busy = !accepted
    } else {
      this.busy = !accepted && response.writableLength > 0
    }
  }

  /** Ends the response; the connection may serve another one. */
  end(): void {
    if (this.over) return
    this.over = true
    this.#response.end()
  }

  /** Cuts the connection, with all that waits in it. */
  destroy(): void {
    this.over = true
    this.#response.destroy()
  }

  readonly #drain = (): void => {
    this.busy = false
    if (!this.over) this.#events.drained()
  }

  readonly #close = (): void => {
    if (this.#closed) return
    this.detach()
    this.#events.closed()
  }

  /** Lets the response go, to be used otherwise. The listener for errors stays: a late one is nobody's. */
  detach(): void {
    this.#closed = true
    this.over = true
    this.#response.off('close', this.#close)
    this.#response.off('drain', this.#drain)
    this.#socket?.off('close', this.#close)
  }
}
