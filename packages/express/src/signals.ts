import { type Deferred, defer } from './deferred.ts'

/** How a handler hears of its stream: each signal is made when it is first asked for, as most wait for nothing. */
export class Signals {
  /** Whether the response is listened to, which is no stream yet. */
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

  /** Says that there is room. */
  settle(): void {
    this.#ready?.resolve()
    this.#ready = undefined
  }

  /** Says that nothing more can be sent, though what was sent may still be on its way. */
  abort(): void {
    this.#abort?.abort()
    this.settle()
  }

  /** Says that the stream is over, also to who asked only now. */
  end(): void {
    this.abort()
    this.#closed?.resolve()
  }
}
