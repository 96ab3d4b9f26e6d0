import type { Head } from '@sse/express'
import { type Deferred, defer } from './deferred.ts'
import { within } from './timeout.ts'

/** What is told that the horizon has moved. */
interface Onlooker {
  changed(): void
}

/** Somebody who waits until a position is within the horizon, or until it no longer will be. */
interface Waiter extends Deferred {
  readonly g: number
}

/**
 * Up to where a log is known to be complete. It moves with what is heard, as long as nothing can have been missed; while it
 * is frozen, it takes note of that only. Each epoch has its own: what is left behind with an epoch stands still.
 */
export class Horizon implements Head {
  #g = 0
  #frozen: boolean
  /** The highest position heard while frozen. */
  #heard = 0
  readonly #waiters = new Set<Waiter>()
  /** Those of which something is known beyond it, and up to where. */
  readonly #ahead = new Map<Onlooker, number>()

  constructor(frozen: boolean) {
    this.#frozen = frozen
  }

  get g(): number {
    return this.#g
  }

  /** Whether something may have been missed. */
  get frozen(): boolean {
    return this.#frozen
  }

  /** From now on something may be missed. */
  freeze(): void {
    this.#frozen = true
    this.#heard = 0
  }

  /**
   * Nothing is missing any more.
   *
   * @param g - up to where, apart from what was heard meanwhile
   */
  thaw(g: number): void {
    this.#frozen = false
    this.#move(Math.max(g, this.#heard))
  }

  /**
   * A position was heard of.
   *
   * @returns whether it is within the horizon, which is not frozen
   */
  reach(g: number): boolean {
    if (this.#frozen) {
      this.#heard = Math.max(this.#heard, g)
      return false
    }
    this.#move(g)
    return true
  }

  /** Tells them whenever it moves, until it has come so far. */
  follow(onlooker: Onlooker, g: number): void {
    if (g > this.#g) this.#ahead.set(onlooker, g)
  }

  unfollow(onlooker: Onlooker): void {
    this.#ahead.delete(onlooker)
  }

  /**
   * @returns when it has come so far, or those who wait are let go
   * @throws {@link SseError} when time is up
   */
  async until(g: number, timeout: number): Promise<void> {
    if (g <= this.#g) return
    const waiter: Waiter = { g, ...defer() }
    this.#waiters.add(waiter)
    await within(timeout, waiter.promise).finally(() => this.#waiters.delete(waiter))
  }

  /** Lets go of all who wait. */
  release(): void {
    for (const { resolve } of this.#waiters) resolve()
  }

  #move(g: number): void {
    if (g <= this.#g) return
    this.#g = g
    for (const waiter of this.#waiters) if (waiter.g <= g) waiter.resolve()
    for (const [onlooker, end] of this.#ahead) {
      onlooker.changed()
      if (end <= g) this.#ahead.delete(onlooker)
    }
  }
}
