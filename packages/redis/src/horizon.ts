import type { Head } from '@sse/express'
import { type Deferred, defer } from './deferred.ts'
import { within } from './timeout.ts'

/** What is notified when the horizon moves. */
interface Onlooker {
  changed(): void
}

/** A call that waits until a position is within the horizon, or until {@link Horizon.release}. */
interface Waiter extends Deferred {
  readonly g: number
}

/**
 * The position up to which a log is known to be complete. It moves with the positions heard, as long as nothing can have been
 * missed; while frozen, it only remembers them. Each epoch has its own: that of a former epoch no longer moves.
 */
export class Horizon implements Head {
  #g = 0
  #frozen: boolean
  /** The highest position heard while frozen. */
  #heard = 0
  readonly #waiters = new Set<Waiter>()
  /** Onlookers that have entries beyond the horizon, and up to which position. */
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
   * @param g - the position up to which the log is complete, apart from what was heard meanwhile
   */
  thaw(g: number): void {
    this.#frozen = false
    this.#move(Math.max(g, this.#heard))
  }

  /**
   * A position was heard.
   *
   * @returns whether it is within the horizon now: `false` while frozen
   */
  reach(g: number): boolean {
    if (this.#frozen) {
      this.#heard = Math.max(this.#heard, g)
      return false
    }
    this.#move(g)
    return true
  }

  /** Notifies the onlooker whenever the horizon moves, until it has reached a position. */
  follow(onlooker: Onlooker, g: number): void {
    if (g > this.#g) this.#ahead.set(onlooker, g)
  }

  unfollow(onlooker: Onlooker): void {
    this.#ahead.delete(onlooker)
  }

  /**
   * @returns when the horizon has reached a position, or on {@link release}
   * @throws {@link SseError} when time is up
   */
  async until(g: number, timeout: number): Promise<void> {
    if (g <= this.#g) return
    const waiter: Waiter = { g, ...defer() }
    this.#waiters.add(waiter)
    await within(timeout, waiter.promise).finally(() => this.#waiters.delete(waiter))
  }

  /** Ends all waiting. */
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
