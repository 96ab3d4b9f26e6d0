import type { AnyEvents, EventReducerOptions, SharedEventSourceOptions, TypedEventSource } from '@sse/client'
import { useInsertionEffect, useMemo, useSyncExternalStore } from 'react'
import { reductionStore, signature } from './reduction.ts'
import { useSource } from './useSource.ts'

/** The options of {@link useEventReducer}. */
export interface UseEventReducerOptions<E, S>
  extends EventReducerOptions<E, S>,
    Omit<SharedEventSourceOptions<E>, 'initial'> {
  /**
   * Tells reductions with the same code apart: what their functions take from outside (a prop, say). Minified code counts,
   * so that two reducers may come to be the same that were not; in development a warning tells. @defaultValue none
   */
  readonly name?: string | undefined
}

/**
 * Adds up the events of a source, each exactly once. The component renders when the result changes, and at most once a
 * frame.
 *
 * The result belongs to the source: it goes on while nobody looks, and every component that reduces by the same code sees the
 * same. So the functions must be pure, and what they take from outside (a prop, say) must be in `name`: in development, a
 * warning tells where it is missing.
 *
 * @param source - an event source, or the url of one; `null` for none
 *
 * @example
 * const notices = useEventReducer(live, {
 *   initial: [] as Notice[],
 *   reduce: { notification: (list, notice) => [notice, ...list].slice(0, 50) },
 * })
 */
export function useEventReducer<S, E = AnyEvents>(
  source: TypedEventSource<E> | string | null | undefined,
  options: UseEventReducerOptions<E, S>,
): S {
  // `initial` is the reducer's here, not the source's.
  const resolved = useSource<E>(source, { ...options, initial: undefined })
  const which = signature(options, options.name)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the options
  const store = useMemo(() => reductionStore<E, S>(resolved, which, options.initial), [resolved, which])
  useInsertionEffect(() => store.adopt(options))
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot)
}
