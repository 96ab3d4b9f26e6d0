import type { Clock } from '@sse/client'
import { useCallback, useContext, useSyncExternalStore } from 'react'
import { EventSourceContext } from './EventSourceProvider.tsx'

type Time = Pick<Clock, 'now' | 'after'>

const realTime: Time = {
  now: () => Date.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds)
    return () => clearTimeout(timer)
  },
}

/**
 * The whole seconds left until a moment; 0 once it is past, or if there is none. Renders once a second. Uses the clock of the
 * provider's transport, which may be a mock's.
 *
 * @param until - in milliseconds since the epoch, such as `retryAt`
 *
 * @example
 * const { status, retryAt } = useEventSource(live)
 * const seconds = useCountdown(retryAt)
 */
export function useCountdown(until: number | undefined): number {
  const time: Time = useContext(EventSourceContext).transport?.clock ?? realTime
  const subscribe = useCallback((listener: () => void) => tick(time, until, listener), [time, until])
  return useSyncExternalStore(
    subscribe,
    () => Math.ceil(millisecondsUntil(time, until) / 1000),
    () => 0,
  )
}

const millisecondsUntil = (time: Time, until = 0): number => Math.max(0, until - time.now())

/** Calls the listener at each whole second before `until`, by the wall clock, so that a throttled timer catches up. */
function tick(time: Time, until: number | undefined, listener: () => void): () => void {
  let cancel = (): void => {}
  const next = (): void => {
    const left = millisecondsUntil(time, until)
    if (left > 0) cancel = time.after(left % 1000 || 1000, turn)
  }
  const turn = (): void => {
    listener()
    next()
  }
  next()
  return () => cancel()
}
