/** A typed emitter in which no listener can hurt another one, or whoever emits. */
export class Emitter<M extends Record<keyof M, unknown[]>> {
  readonly #names: readonly (keyof M)[]
  readonly #listeners: { [N in keyof M]?: Set<(...args: M[N]) => unknown> } = {}
  readonly #thrown: (error: unknown, event: keyof M) => void

  /**
   * @param names - of all that is emitted
   * @param thrown - gets what a listener throws
   */
  constructor(names: readonly (keyof M)[], thrown: (error: unknown, event: keyof M) => void) {
    this.#names = names
    this.#thrown = thrown
  }

  /** @throws TypeError for a name of which nothing would ever be heard */
  on<N extends keyof M>(event: N, listener: (...args: M[N]) => void): () => void {
    if (!this.#names.includes(event)) {
      throw new TypeError(
        `There is no event '${String(event)}' to hear of: there are ${this.#names.join(', ')}.`,
      )
    }
    const listeners = this.#listeners[event] ?? new Set()
    // Of its own, so that who listens twice stops twice.
    const own = (...args: M[N]): unknown => listener(...args)
    this.#listeners[event] = listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  /** @returns whether anybody listens */
  emit<N extends keyof M>(event: N, ...args: M[N]): boolean {
    const listeners = this.#listeners[event]
    if (listeners === undefined || listeners.size === 0) return false
    for (const listener of [...listeners]) {
      try {
        const returned = listener(...args)
        // An asynchronous one, which nobody awaits.
        if (returned instanceof Promise) returned.catch((error) => this.#thrown(error, event))
      } catch (error) {
        this.#thrown(error, event)
      }
    }
    return true
  }
}
