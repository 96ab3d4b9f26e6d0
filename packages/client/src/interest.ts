import type { Clock } from './clock.ts'

export interface InterestHooks {
  /** Somebody came. */
  some(): void
  /** Whether there is anything to let go of. */
  kept(): boolean
  /** The last one left, and nobody came for the time of the linger. */
  none(): void
}

/** Who wants the stream: it opens with the first one and outlives the last one by the linger. */
export interface Interest {
  /** @returns what gives it up */
  hold(): () => void
  /** Waits for nobody any more. */
  cancel(): void
}

export function createInterest(clock: Clock, linger: number, hooks: InterestHooks): Interest {
  const holders = new Set<object>()
  let cancelTimer: (() => void) | undefined

  function cancel(): void {
    cancelTimer?.()
    cancelTimer = undefined
  }

  return {
    hold() {
      const holder = {}
      holders.add(holder)
      cancel()
      hooks.some()
      return () => {
        const left = holders.delete(holder) && holders.size === 0
        if (left && hooks.kept()) cancelTimer = clock.after(linger, hooks.none)
      }
    },
    cancel,
  }
}
