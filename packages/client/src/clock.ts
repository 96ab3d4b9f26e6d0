/** Time and randomness, as a connection sees them. */
export interface Clock {
  /** Milliseconds since the epoch, by the wall clock: it goes on while the machine sleeps. */
  now(): number
  /** Calls back once. @returns a function that cancels it */
  after(milliseconds: number, callback: () => void): () => void
  /** From 0 to less than 1. */
  random(): number
}

/** `setTimeout` takes no more than this and fires at once for anything longer. */
const LONGEST = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(milliseconds, LONGEST))
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}
