import type { EventName, Latest, TypedEventSource } from '@sse/client'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { offFrame, onFrame } from './frame.ts'

/**
 * The newest payload of one event, or what is selected from it: the component renders when that changes, at most once a
 * frame.
 *
 * @param source - an event source; `null` for none
 * @param select - may be written inline; its results are compared by identity
 *
 * @example
 * const price = useLatest(live, 'quote', (quotes) => quotes?.AAPL?.price)
 */
export function useLatest<E, N extends EventName<E>>(
  source: TypedEventSource<E> | null | undefined,
  event: N,
): Latest<E>[N]
export function useLatest<E, N extends EventName<E>, S>(
  source: TypedEventSource<E> | null | undefined,
  event: N,
  select: (latest: Latest<E>[N]) => S,
): S
export function useLatest<E, N extends EventName<E>>(
  source: TypedEventSource<E> | null | undefined,
  event: N,
  select?: (latest: Latest<E>[N]) => unknown,
): unknown {
  const subscribe = useCallback((listener: () => void) => subscribeLatest(source, listener), [source])
  // A selection is made once for each payload, since an object made anew would never equal itself.
  const selection = useMemo(() => memoize(select), [select])
  return useSyncExternalStore(
    subscribe,
    () => selection(source?.getLatest()[event]),
    () => selection(source?.getInitialLatest()[event]),
  )
}

function subscribeLatest<E>(
  source: TypedEventSource<E> | null | undefined,
  listener: () => void,
): () => void {
  const off = source?.subscribe((change) => {
    if (change === 'latest') onFrame(listener)
  })
  return () => {
    off?.()
    offFrame(listener)
  }
}

function memoize<T>(select: ((input: T) => unknown) | undefined): (input: T) => unknown {
  if (select === undefined) return (input) => input
  let last: { readonly input: T; readonly output: unknown } | undefined
  return (input) => {
    if (last === undefined || !Object.is(last.input, input)) last = { input, output: select(input) }
    return last.output
  }
}
