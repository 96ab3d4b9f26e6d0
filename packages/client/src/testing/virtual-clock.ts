import type { Clock } from '../clock.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that moves only when it is told to. */
export interface VirtualClock extends Clock {
  /** How many timers are set. */
  readonly pending: number
  /** Lets time pass: calls what comes due, in order, and lets promises settle in between. */
  advance(milliseconds: number): Promise<void>
  /** Lets promises settle. */
  settle(): Promise<void>
  /**
   * Lets time pass without calling anything, as when the machine sleeps; what came due is called afterwards. A negative time
   * sets the clock back, which does not affect timers.
   */
  sleep(milliseconds: number): void
}

/** How many turns of the microtask queue a request may take to be under way. */
const TURNS = 100

/** @param random - returns numbers from 0 to less than 1 */
export function createVirtualClock(start: number, random: () => number): VirtualClock {
  const timers = new Set<Timer>()
  let now = start
  let setBack = 0

  async function settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve()
  }

  return {
    now: () => now - setBack,
    random,
    after(milliseconds, callback) {
      const timer: Timer = { at: now + Math.max(0, milliseconds), callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    get pending() {
      return timers.size
    },
    settle,
    sleep(milliseconds) {
      if (milliseconds > 0) now += milliseconds
      else setBack -= milliseconds
    },
    async advance(milliseconds) {
      const until = now + milliseconds
      await settle()
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.callback()
        await settle()
      }
      // Another call, or a sleep in between, may have gone further.
      now = Math.max(now, until)
    },
  }
}
