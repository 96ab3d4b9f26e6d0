const NOTHING: readonly (readonly string[])[] = []

/** Runs actions that may wait for the broker one after the other, also those that a listener starts during another one. */
export class Turns {
  #last: Promise<void> | undefined
  /** What the actions that wait for their turn are about. */
  #waiting = NOTHING
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

  /** Whether an action about this still waits for its turn. */
  awaits(subject: string): boolean {
    return this.#waiting.some((subjects) => subjects.includes(subject))
  }

  /**
   * @param subjects - what the action is about
   * @returns `undefined` if it was done at once
   */
  take(act: () => void | Promise<void>, subjects: readonly string[] = []): Promise<void> | undefined {
    const acted = this.busy ? this.#wait(act, subjects) : this.#act(act)
    if (acted === undefined) return undefined
    const settled = (): void => {
      if (this.#last === last) this.#last = undefined
    }
    // A failure does not affect later actions.
    const last = acted.then(settled, settled)
    this.#last = last
    return acted
  }

  #wait(act: () => void | Promise<void>, subjects: readonly string[]): Promise<void> {
    // A list of its own, since two actions may be given the same array; what is none is refused by the action itself.
    const own: readonly string[] = Array.isArray(subjects) ? [...subjects] : []
    this.#waiting = [...this.#waiting, own]
    return (this.#last ?? Promise.resolve()).then(() => {
      this.#waiting = this.#waiting.filter((one) => one !== own)
      return act()
    })
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
