import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Chunk, TextChunk } from './chunk.ts'
import { flushHead, takeHead } from './head.ts'
import { look } from './look.ts'
import { isUnheard } from './methods.ts'
import type { Place } from './place.ts'

/** What an event stream needs of a response. That of HTTP/2's compatibility API has `stream` instead of `destroyed`. */
export type StreamResponse = ServerResponse & {
  flush?: () => void
  readonly stream?: {
    readonly destroyed: boolean
    readonly session?: { close(): void } | undefined
    on(event: 'aborted', listener: () => void): unknown
  }
}

/** Whether nothing written to a response can reach its reader any more. */
export const isOver = (response: StreamResponse): boolean =>
  // `destroyed` is missing on HTTP/2 only. Reading `stream` first would be slow, as HTTP/1.1 has none.
  look(response, 'writableEnded') || (look(response, 'destroyed') ?? response.stream?.destroyed ?? false)

/** The stream whose response it is. */
export interface Outgoing extends Pick<Place, 'straight'> {
  /** Whether the server is closing, which connections that are kept alive would delay. */
  readonly leaving: boolean
  /** Everything written was taken: the reader can take more. */
  drained(): void
  /** The response has closed, for whatever reason. */
  ended(): void
}

/**
 * The one place, with `head.ts`, that touches a response: headers, bytes, backpressure, the end. It never writes to a
 * response that is over, since its socket may serve another one by then.
 */
export class Outlet {
  /** Whether written bytes wait for the reader. */
  busy = false
  /** Whether nothing may be written any more. */
  over = false

  readonly #response: StreamResponse
  readonly #socket: Socket | undefined
  readonly #stream: Outgoing
  /**
   * The socket, while writing a framed chunk to it is the same as `response.write`. It costs half as much: Node's `write`
   * corks, and makes three writes of each.
   */
  #straight: Socket | undefined
  /** What `drain` is listened for on; `undefined` until it is needed. */
  #drains: StreamResponse | Socket | undefined
  #drain: (() => void) | undefined
  /** Whether the socket is corked by {@link cork}. */
  #held = false
  /** Whether the corked socket's buffer is full. */
  #filled = false
  #closed = false

  constructor(request: IncomingMessage, response: StreamResponse, stream: Outgoing) {
    this.#stream = stream
    this.#response = response
    // HTTP/2 does not allow listeners on its session's socket; its response closes with its stream.
    this.#socket = look(request, 'httpVersionMajor') >= 2 ? undefined : look(request, 'socket')
    response.on('close', this.#close)
    response.on('error', this.#close)
    // A reader may reset its HTTP/2 stream without an error code: Node would then wait for it to take the rest.
    if (this.#socket === undefined) response.stream?.on('aborted', () => response.destroy())
  }

  /**
   * Holds back what is written until {@link uncork}, which sends it with one system call.
   *
   * @returns false if there is no socket to cork, or it has something to write already
   */
  cork(): boolean {
    const socket = this.#socket
    if (!socket?.writable || socket.writableLength > 0 || socket.writableCorked > 0) return false
    this.#held = true
    socket.cork()
    return true
  }

  /** Sends what was held back, if anything was. */
  uncork(): void {
    if (!this.#held) return
    this.#held = false
    this.#socket?.uncork()
    if (this.#filled) this.fill()
    this.#filled = false
    // What was held back counted as waiting, but may have been sent at once.
    const response = this.#response
    if (this.busy && response.flush === undefined) this.busy = (this.#straight ?? response).writableLength > 0
  }

  /**
   * Sends the head, with the headers that the handler has set.
   *
   * @returns false if a head was sent already
   */
  commit(request: IncomingMessage): boolean {
    if (!this.#takeStraight(request)) {
      const response = this.#response
      if (response.headersSent) return false
      flushHead(request, response)
      this.#straighten()
    }
    const socket = this.#socket
    if (socket?.timeout) socket.setTimeout(0)
    return true
  }

  #takeStraight(request: IncomingMessage): boolean {
    const socket = this.#socket
    const head = socket !== undefined && this.#isFree(socket) ? takeHead(request, this.#response) : undefined
    if (socket === undefined || head === undefined) return false
    // In UTF-8, as `flushHeaders` does.
    socket.write(head)
    this.#goStraight(socket)
    return true
  }

  write(chunk: Chunk | TextChunk): void {
    if (this.over) return
    if (this.#straight === undefined) this.#straighten()
    const straight = this.#straight
    if (straight !== undefined) {
      // When the reader has ended its side, Node ends this one: a write after that would destroy the connection.
      if (!straight.writable) this.#leave()
      else if (!straight.write(chunk.framed, 'latin1')) this.fill()
      return
    }
    const response = this.#response
    this.#listen(response)
    // Some wrappers of `write` return nothing: then ask Node whether a `drain` will follow.
    const accepted = response.write(chunk.bytes, 'latin1') ?? !response.writableNeedDrain
    if (response.flush !== undefined) {
      // A compressing wrapper: `writableLength` does not include what waits in it.
      response.flush()
      this.busy = !accepted
    } else {
      this.busy = !accepted && response.writableLength > 0
    }
  }

  /** Whether the corked socket's buffer is full. */
  get filled(): boolean {
    return this.#filled
  }

  /** The socket that takes framed chunks, unless it is busy. */
  get straight(): Socket | undefined {
    return this.busy ? undefined : this.#straight
  }

  /** The socket's buffer is full; while the socket is corked, that is judged only after {@link uncork}. */
  fill(): void {
    if (this.#held) {
      this.#filled = true
      return
    }
    const socket = this.#straight
    this.busy = socket !== undefined && socket.writableLength > 0
    if (socket === undefined || !this.busy) return
    this.#stream.straight = undefined
    this.#listen(socket)
  }

  /** Ends the response; the connection may serve another one, unless the server is closing. */
  end(): void {
    if (this.over) return
    this.#leave()
    if (this.#stream.leaving) this.leave()
    this.#response.end()
  }

  /** Ends the connection once the response was taken. */
  leave(): void {
    const socket = this.#socket
    if (socket === undefined) this.#endSession()
    else if (!this.#closed) {
      // Some wrappers of `end` take no callback. A connection may be any duplex: that of `inject()` has neither method.
      this.#response.once('finish', () => (socket.destroySoon ?? socket.end)?.call(socket))
    }
  }

  /** Destroys the connection; on HTTP/2 the stream, and ends the session if the server is closing. */
  destroy(): void {
    this.#leave()
    if (this.#stream.leaving) this.#endSession()
    this.#response.destroy()
  }

  #endSession(): void {
    this.#response.stream?.session?.close()
  }

  /**
   * Writes to the socket directly from now on, if that is the same: chunked HTTP/1.1, nothing pending, this response the
   * socket's current one, and no wrapper between `write` and the socket. After that only an end can change it, which
   * `prefinish` reports before the socket serves another response.
   */
  #straighten(): void {
    const response = this.#response
    const socket = this.#socket
    if (
      socket === undefined ||
      response.socket !== socket ||
      !response.headersSent ||
      !response.chunkedEncoding ||
      response.writableEnded ||
      !isUnheard(response) ||
      // While corked, only the head waits, which goes first.
      (!this.#held && (response.writableCorked > 0 || response.writableLength > 0))
    ) {
      return
    }
    this.#goStraight(socket)
  }

  #goStraight(socket: Socket): void {
    this.#straight = socket
    this.#response.on('prefinish', this.#finished)
  }

  /** Whether the socket is this response's, and nobody else has corked it. */
  #isFree(socket: Socket): boolean {
    const corks = this.#held ? 1 : 0
    return look(this.#response, 'socket') === socket && socket.writable && socket.writableCorked === corks
  }

  /** The response was ended: this stream must not write to the socket any more. */
  readonly #finished = (): void => {
    this.#leave()
  }

  #leave(): void {
    this.over = true
    this.#straight = undefined
    this.#stream.straight = undefined
  }

  /** Listens for `drain`, once for all: `compression` forwards `on('drain')`, but not `off`. */
  #listen(to: StreamResponse | Socket): void {
    if (this.#drains === to) return
    this.#drains = to
    this.#drain = () => {
      this.busy = false
      if (!this.over) this.#stream.drained()
    }
    to.on('drain', this.#drain)
  }

  readonly #close = (): void => {
    if (this.#closed) return
    this.detach()
    this.#stream.ended()
  }

  /** Releases the response for other use. The listener for errors stays, since a late error would crash the process. */
  detach(): void {
    this.#closed = true
    this.#leave()
    this.#response.off('close', this.#close)
    this.#response.off('prefinish', this.#finished)
    if (this.#drain !== undefined) this.#drains?.off('drain', this.#drain)
  }
}
