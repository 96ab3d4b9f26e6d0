import { type Deferred, defer } from './deferred.ts'

/** How a handler observes its stream. Each signal is made on first use, since most handlers use none. */
export class Signals {
  /** Whether the end of a response that is no stream yet is listened for. */
  observed = false

  #abort: AbortController | undefined
  #closed: Deferred | undefined
  #ready: Deferred | undefined

  /** Aborts when nothing more can be sent. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  /** Resolves when the stream is over. */
  get closed(): Promise<void> {
    this.#closed ??= defer()
    return this.#closed.promise
  }

  /** Resolves when there is room, or the stream is over. */
  get ready(): Promise<void> {
    this.#ready ??= defer()
    return this.#ready.promise
  }

  /** Resolves `ready`. */
  settle(): void {
    this.#ready?.resolve()
    this.#ready = undefined
  }

  /** Nothing more can be sent, though what was sent may still be on its way. */
  abort(): void {
    this.#abort?.abort()
    this.settle()
  }

  /** The stream is over. */
  end(): void {
    this.abort()
    this.#closed?.resolve()
  }
}
