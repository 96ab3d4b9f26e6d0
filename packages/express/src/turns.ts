/** Runs actions that may wait for the broker one after the other, also those that a listener starts during another one. */
export class Turns {
  #last: Promise<void> | undefined
  /** Set while an action runs synchronously. */
  #acting = false

  /** Whether an action is in progress. */
  get busy(): boolean {
    return this.#last !== undefined || this.#acting
  }

  /** Resolves when all actions taken so far are done or have failed; `undefined` if none is waiting. */
  get last(): Promise<void> | undefined {
    return this.#last
  }

  /** @returns `undefined` if it was done at once */
  take(act: () => void | Promise<void>): Promise<void> | undefined {
    const acted = this.busy ? (this.#last ?? Promise.resolve()).then(act) : this.#act(act)
    if (acted === undefined) return undefined
    const settled = (): void => {
      if (this.#last === last) this.#last = undefined
    }
    // A failure does not affect later actions.
    const last = acted.then(settled, settled)
    this.#last = last
    return acted
  }

  #act(act: () => void | Promise<void>): Promise<void> | undefined {
    this.#acting = true
    try {
      return act() ?? undefined
    } catch (error) {
      return Promise.reject(error)
    } finally {
      this.#acting = false
    }
  }
}
