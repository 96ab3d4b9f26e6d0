/** Takes what may wait for the broker one after the other; also what a listener asks for while something is under way. */
export class Turns {
  #last: Promise<void> | undefined
  /** Set before it is known whether what is under way waits. */
  #acting = false

  /** Whether something is under way. */
  get busy(): boolean {
    return this.#last !== undefined || this.#acting
  }

  /** Resolves when everything that waits so far is done, or has failed; nothing waits if there is none. */
  get last(): Promise<void> | undefined {
    return this.#last
  }

  /** @returns nothing if it was done at once */
  take(act: () => void | Promise<void>): Promise<void> | undefined {
    const acted = this.busy ? (this.#last ?? Promise.resolve()).then(act) : this.#act(act)
    if (acted === undefined) return undefined
    const settled = (): void => {
      if (this.#last === last) this.#last = undefined
    }
    // What failed does not take later ones along.
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
