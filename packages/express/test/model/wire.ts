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
    const body = new Body()
    return Buffer.concat(this.#taken.flatMap((bytes) => body.feed(bytes)))
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

const BLANK_LINE = '\r\n\r\n'

/** The body of an answer, in chunks or without: as much as is complete. */
export class Body {
  #rest: Buffer = Buffer.alloc(0)
  #chunked: boolean | undefined

  /** @returns what the bytes complete, each chunk by itself */
  feed(bytes: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, bytes])
    if (this.#chunked === undefined) {
      const end = this.#rest.indexOf(BLANK_LINE)
      if (end === -1) return []
      this.#chunked = this.#rest.subarray(0, end).includes('Transfer-Encoding: chunked')
      this.#rest = this.#rest.subarray(end + BLANK_LINE.length)
    }
    return this.#chunked ? [...this.#chunks()] : this.#all()
  }

  #all(): Buffer[] {
    const all = this.#rest
    this.#rest = Buffer.alloc(0)
    return all.length === 0 ? [] : [all]
  }

  *#chunks(): Generator<Buffer> {
    for (;;) {
      const line = this.#rest.indexOf('\r\n')
      if (line === -1) return
      const start = line + 2
      const size = Number.parseInt(this.#rest.toString('latin1', 0, line), 16)
      if (size === 0 || this.#rest.length < start + size + 2) return
      yield this.#rest.subarray(start, start + size)
      this.#rest = this.#rest.subarray(start + size + 2)
    }
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

  /** Sends a request, whose answer comes in chunks or without; resolves when it is at the handler. */
  request(wire: Wire, lastEventId: string | undefined, chunked = false): Promise<Exchange> {
    return new Promise((resolve) => {
      this.#arrivals.set(wire, resolve)
      const field = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
      wire.push(`GET /events HTTP/1.${chunked ? 1 : 0}\r\nHost: model\r\n${field}\r\n`)
      this.#server.emit('connection', wire)
    })
  }
}
