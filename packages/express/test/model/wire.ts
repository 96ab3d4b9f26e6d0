import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'

/**
 * A socket in memory, under node's own HTTP server: what is written arrives at once, or when {@link release} says so.
 * Everything above it, requests, responses, backpressure, `drain` and `close`, is node's.
 */
export class Wire extends Duplex {
  /** What the peer was handed, the head of the answer included. */
  readonly #taken: Buffer[] = []
  #held: (() => void) | undefined
  #stalled = false

  constructor(highWaterMark: number) {
    super({ writableHighWaterMark: highWaterMark })
  }

  get stalled(): boolean {
    return this.#stalled
  }

  /** The body that has arrived, without the head. */
  get body(): Buffer {
    const all = Buffer.concat(this.#taken)
    const end = all.indexOf('\r\n\r\n')
    return end === -1 ? Buffer.alloc(0) : all.subarray(end + 4)
  }

  /** The peer takes nothing more. */
  stall(): void {
    this.#stalled = true
  }

  /** The peer takes what waits, and what comes. */
  release(): void {
    this.#stalled = false
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  // What an HTTP server asks of a socket besides.

  setTimeout(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    const take = (): void => {
      this.#taken.push(chunk)
      taken()
    }
    if (this.#stalled) this.#held = take
    else take()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#held = undefined
    done(error)
  }
}

/** A request's two ends on the server. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Node's HTTP server without a port: requests come over wires. */
export class Exchanges {
  readonly #server: Server
  readonly #arrivals = new WeakMap<object, (exchange: Exchange) => void>()

  constructor() {
    this.#server = createServer((request, response) => {
      this.#arrivals.get(request.socket)?.({ request, response })
    })
  }

  /** Sends a request whose answer comes without chunks; resolves when it is at the handler. */
  request(wire: Wire, lastEventId: string | undefined): Promise<Exchange> {
    return new Promise((resolve) => {
      this.#arrivals.set(wire, resolve)
      const field = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
      wire.push(`GET /events HTTP/1.0\r\n${field}\r\n`)
      this.#server.emit('connection', wire)
    })
  }
}
