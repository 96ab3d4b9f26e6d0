import { useCallback, useSyncExternalStore } from 'react'

/**
 * The whole seconds left until a moment, 0 once it is past or where there is none. Renders once a second.
 *
 * @param until - in milliseconds since the epoch, such as `retryAt`
 *
 * @example
 * const { status, retryAt } = useEventSource(live)
 * const seconds = useCountdown(retryAt)
 */
export function useCountdown(until: number | undefined): number {
  const subscribe = useCallback((listener: () => void) => tick(until, listener), [until])
  return useSyncExternalStore(
    subscribe,
    () => secondsUntil(until),
    () => 0,
  )
}

const secondsUntil = (until: number | undefined): number =>
  until === undefined ? 0 : Math.max(0, Math.ceil((until - Date.now()) / 1000))

/** Tells at each whole second before `until`, by the wall clock, so that a throttled timer catches up. */
function tick(until: number | undefined, listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const next = (): void => {
    const left = until === undefined ? 0 : until - Date.now()
    if (left > 0) timer = setTimeout(turn, left % 1000 || 1000)
  }
  const turn = (): void => {
    listener()
    next()
  }
  next()
  return () => clearTimeout(timer)
}
