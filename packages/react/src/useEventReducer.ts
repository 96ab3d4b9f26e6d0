import type { AnyEvents, EventReducerOptions, SharedEventSourceOptions, TypedEventSource } from '@sse/client'
import { useInsertionEffect, useMemo, useSyncExternalStore } from 'react'
import { reductionStore, signature } from './reduction.ts'
import { useSource } from './useSource.ts'

/** The options of {@link useEventReducer}. */
export interface UseEventReducerOptions<E, S>
  extends EventReducerOptions<E, S>,
    Omit<SharedEventSourceOptions<E>, 'initial'> {
  /**
   * Tells reducers with the same code apart: put in it what their functions close over (a prop, say). Minification may make
   * the code of two reducers the same; in development, a warning says where a name is missing. @defaultValue none
   */
  readonly name?: string | undefined
}

/**
 * Reduces the events of a source to a state, each exactly once. The component renders when the result changes, at most once
 * a frame.
 *
 * The result belongs to the source: it keeps being updated while no component shows it, and components whose reducers have
 * the same code share it. So the functions must be pure, and what they close over (a prop, say) must be in `name`: in
 * development, a warning says where it is missing.
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
