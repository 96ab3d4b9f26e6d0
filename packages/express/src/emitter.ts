/** A typed emitter. A listener that throws affects neither other listeners nor the caller of {@link emit}. */
export class Emitter<M extends Record<keyof M, unknown[]>> {
  readonly #names: readonly (keyof M)[]
  readonly #listeners: { [N in keyof M]?: Set<(...args: M[N]) => unknown> } = {}
  readonly #thrown: (error: unknown, event: keyof M) => void

  /**
   * @param names - all events
   * @param thrown - called with what a listener throws, or rejects with
   */
  constructor(names: readonly (keyof M)[], thrown: (error: unknown, event: keyof M) => void) {
    this.#names = names
    this.#thrown = thrown
  }

  /** @throws TypeError for an unknown event */
  on<N extends keyof M>(event: N, listener: (...args: M[N]) => void): () => void {
    if (!this.#names.includes(event)) {
      throw new TypeError(
        `There is no event '${String(event)}' to listen to: there are ${this.#names.join(', ')}.`,
      )
    }
    const listeners = this.#listeners[event] ?? new Set()
    // A function of its own, so that a listener that is added twice must be removed twice.
    const own = (...args: M[N]): unknown => listener(...args)
    this.#listeners[event] = listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  /** @returns whether there are listeners */
  emit<N extends keyof M>(event: N, ...args: M[N]): boolean {
    const listeners = this.#listeners[event]
    if (listeners === undefined || listeners.size === 0) return false
    for (const listener of [...listeners]) {
      try {
        const returned = listener(...args)
        // An async listener, which nobody awaits.
        if (returned instanceof Promise) returned.catch((error) => this.#thrown(error, event))
      } catch (error) {
        this.#thrown(error, event)
      }
    }
    return true
  }
}
