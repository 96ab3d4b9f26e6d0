import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Chunk, TextChunk } from './chunk.ts'
import { flushHead, takeHead } from './head.ts'
import { look } from './look.ts'
import { isUnheard } from './methods.ts'
import type { Place } from './place.ts'

/** What of a response an event stream needs; HTTP/2's compatible one has it as well, with its stream for `destroyed`. */
export type StreamResponse = ServerResponse & {
  flush?: () => void
  readonly stream?: {
    readonly destroyed: boolean
    readonly session?: { close(): void } | undefined
    on(event: 'aborted', listener: () => void): unknown
  }
}

/** Whether nothing of a response can reach its reader any more. */
export const isOver = (response: StreamResponse): boolean =>
  // HTTP/2's compatible response has no `destroyed`; and to find that there is no `stream` takes long.
  look(response, 'writableEnded') || (look(response, 'destroyed') ?? response.stream?.destroyed ?? false)

/** Whose response it is: hears what becomes of it, and falls out of step with it. */
export interface Outgoing extends Pick<Place, 'straight'> {
  /** Whether the server is going, whose `close` a connection that is kept would hold up. */
  readonly leaving: boolean
  /** Everything written was taken; more is welcome. */
  drained(): void
  /** The response is over, whoever ended it. */
  ended(): void
}

/**
 * The one place, with `head.ts`, that touches a response: headers, bytes, backpressure, the end. Listens once to the
 * response and once to its socket, and never writes to one that is over, whose socket may be another response's by then.
 */
export class Outlet {
  /** Whether what was written waits for the reader. */
  busy = false
  /** Whether nothing may be written any more. */
  over = false

  readonly #response: StreamResponse
  readonly #socket: Socket | undefined
  readonly #stream: Outgoing
  /**
   * The socket, while writing a framed chunk to it is the same as `response.write`. That costs half as much: `write` of
   * Node corks, and makes three writes of each.
   */
  #straight: Socket | undefined
  /** What is listened to for room: nothing, until a reader was slow. */
  #drains: StreamResponse | Socket | undefined
  #drain: (() => void) | undefined
  #held = false
  /** Whether the socket would take no more of what is held back for it. */
  #filled = false
  #closed = false

  constructor(request: IncomingMessage, response: StreamResponse, stream: Outgoing) {
    this.#stream = stream
    this.#response = response
    // HTTP/2 allows no listeners of ours on its session's socket; its response closes with its stream.
    this.#socket = look(request, 'httpVersionMajor') >= 2 ? undefined : look(request, 'socket')
    response.on('close', this.#close)
    response.on('error', this.#close)
    // A reader may reset its HTTP/2 stream as if that were no error: then Node waits for what can no longer be taken.
    if (this.#socket === undefined) response.stream?.on('aborted', () => response.destroy())
  }

  /**
   * Holds back what is written until {@link uncork}, to leave at once: a system call less for each write but one.
   *
   * @returns false if there is no socket that can be held back, or it has something to write already
   */
  cork(): boolean {
    const socket = this.#socket
    if (!socket?.writable || socket.writableLength > 0 || socket.writableCorked > 0) return false
    this.#held = true
    socket.cork()
    return true
  }

  /** Sends what was held back, if it was. */
  uncork(): void {
    if (!this.#held) return
    this.#held = false
    this.#socket?.uncork()
    if (this.#filled) this.fill()
    this.#filled = false
    // What was held by the response counted as waiting, and may have been taken at once.
    const response = this.#response
    if (this.busy && response.flush === undefined) this.busy = (this.#straight ?? response).writableLength > 0
  }

  /**
   * Sends the head of the answer, in which what the handler set before stays, and keeps what the body begins with.
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
      // Not once the reader has ended its side, upon which Node ends this one: it cuts a connection that is written to then.
      if (!straight.writable) this.#leave()
      else if (!straight.write(chunk.framed, 'latin1')) this.fill()
      return
    }
    const response = this.#response
    this.#listen(response)
    // Many a wrapper of `write` returns nothing: whether a drain is to come is then for Node to say.
    const accepted = response.write(chunk.bytes, 'latin1') ?? !response.writableNeedDrain
    if (response.flush !== undefined) {
      // A compressing wrapper: `writableLength` says nothing of what waits in it.
      response.flush()
      this.busy = !accepted
    } else {
      this.busy = !accepted && response.writableLength > 0
    }
  }

  /** Whether as much is held back as the socket takes before it says that it is enough. */
  get filled(): boolean {
    return this.#filled
  }

  /** The socket that takes framed chunks, unless it is busy. */
  get straight(): Socket | undefined {
    return this.busy ? undefined : this.#straight
  }

  /** Hears that the socket wants no more for now; whether that is so is seen once nothing is held back from it. */
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

  /** Ends the response; the connection may serve another one, unless the server is going. */
  end(): void {
    if (this.over) return
    this.#leave()
    if (this.#stream.leaving) this.leave()
    this.#response.end()
  }

  /** Has the connection end once the response is taken. */
  leave(): void {
    const socket = this.#socket
    if (socket === undefined) this.#endSession()
    else if (!this.#closed) {
      // Not every wrapper of `end` takes a callback. A connection may be any duplex, and that of `inject()` has neither.
      this.#response.once('finish', () => (socket.destroySoon ?? socket.end)?.call(socket))
    }
  }

  /** Cuts the connection, with all that waits in it; of HTTP/2 the stream, and the session ends if the server is going. */
  destroy(): void {
    this.#leave()
    if (this.#stream.leaving) this.#endSession()
    this.#response.destroy()
  }

  #endSession(): void {
    this.#response.stream?.session?.close()
  }

  /**
   * Takes the straight way from now on, if it is the same: HTTP/1.1 with chunks, nothing pending, this response the
   * socket's current one, and nobody between `write` and the socket. From then on only an end can change it, which
   * `prefinish` tells before the socket serves another response.
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
      // What is held is the head, which goes first.
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

  /** Whether the socket is this response's, and nobody holds it back. */
  #isFree(socket: Socket): boolean {
    const corks = this.#held ? 1 : 0
    return look(this.#response, 'socket') === socket && socket.writable && socket.writableCorked === corks
  }

  /** Somebody ended the response: nothing of this stream may reach the socket any more. */
  readonly #finished = (): void => {
    this.#leave()
  }

  #leave(): void {
    this.over = true
    this.#straight = undefined
    this.#stream.straight = undefined
  }

  /** Once and for all: `compression` forwards `on('drain')`, but not its removal. */
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

  /** Lets the response go, to be used otherwise. The listener for errors stays: a late one is nobody's. */
  detach(): void {
    this.#closed = true
    this.#leave()
    this.#response.off('close', this.#close)
    this.#response.off('prefinish', this.#finished)
    if (this.#drain !== undefined) this.#drains?.off('drain', this.#drain)
  }
}
