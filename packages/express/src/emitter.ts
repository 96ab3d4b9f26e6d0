/** A typed emitter in which no listener can hurt another one, or whoever emits. */
export class Emitter<M extends Record<keyof M, unknown[]>> {
  readonly #listeners: { [N in keyof M]?: Set<(...args: M[N]) => void> } = {}
  readonly #thrown: (error: unknown, event: keyof M) => void

  /** @param thrown - gets what a listener throws */
  constructor(thrown: (error: unknown, event: keyof M) => void) {
    this.#thrown = thrown
  }

  on<N extends keyof M>(event: N, listener: (...args: M[N]) => void): () => void {
    const listeners = this.#listeners[event] ?? new Set()
    this.#listeners[event] = listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** @returns whether anybody listens */
  emit<N extends keyof M>(event: N, ...args: M[N]): boolean {
    const listeners = this.#listeners[event]
    if (listeners === undefined || listeners.size === 0) return false
    for (const listener of [...listeners]) {
      try {
        listener(...args)
      } catch (error) {
        this.#thrown(error, event)
      }
    }
    return true
  }
}
