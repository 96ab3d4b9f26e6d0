import type { Clock } from './clock.ts'

/** How many heartbeats may be missed until the stream is stale, and until it is lost. */
const STALE = 1.5
const LOST = 2.5
/** After a sleep, what came meanwhile may not have been read yet, in milliseconds. */
const GRACE = 2_000

export interface WatchdogHooks {
  stale(): void
  lost(quiet: number): void
  /** Sets the one timer. */
  after(milliseconds: number, callback: () => void): void
}

/** Judges the silence of one stream by the wall clock. */
export interface Watchdog {
  /** The server said something. */
  heard(): void
  /** How often it says something, in milliseconds; 0 is never. */
  expect(heartbeat: number): void
  /** The machine or the page may have slept: look now, instead of when the timer comes. */
  wake(): void
}

export function createWatchdog(clock: Clock, hooks: WatchdogHooks): Watchdog {
  let heartbeat = 0
  let last = clock.now()

  function wait(beats: number): void {
    const due = last + beats * heartbeat
    hooks.after(due - clock.now(), () => check(due))
  }

  function check(due: number): void {
    const now = clock.now()
    if (last > now) last = now // the clock was set back
    const quiet = now - last
    if (quiet < STALE * heartbeat) {
      wait(STALE)
      return
    }
    hooks.stale()
    if (quiet < LOST * heartbeat) wait(LOST)
    // A timer that comes too late has slept, and so have we.
    else if (now - due >= GRACE) hooks.after(GRACE, () => check(now + GRACE))
    else hooks.lost(quiet)
  }

  return {
    heard() {
      last = clock.now()
    },
    expect(milliseconds) {
      heartbeat = milliseconds
      if (heartbeat > 0) wait(STALE)
    },
    wake() {
      if (heartbeat > 0) check(Number.NEGATIVE_INFINITY)
    },
  }
}
