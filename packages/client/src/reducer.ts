import type { AnyEvents, EventName, EventPayload } from '@sse/contract'
import type { EventMeta, Resync, TypedEventSource } from './source.ts'

/** The options of {@link createEventReducer}. */
export interface EventReducerOptions<E, S> {
  readonly initial: S
  /** By event name, the state after an event. Must be pure. */
  readonly reduce: {
    readonly [N in EventName<E>]?: ((state: S, data: EventPayload<E, N>, meta: EventMeta<N>) => S) | undefined
  }
  /** The state after events went missing. @defaultValue it stays */
  readonly onGap?: ((state: S, resync: Resync) => S) | undefined
}

/** What a source's events add up to; a store. */
export interface EventReducer<E, S> {
  readonly source: TypedEventSource<E>
  /** The same object until it changes. */
  getState(): S
  /** Hears after changes, once for the events that came together. Opens the source as a listener does. */
  subscribe(listener: () => void): () => void
}

/**
 * Adds up the events of a source from now on, whether or not somebody looks at the result. It lives as long as the source
 * and does not open it.
 *
 * @example
 * const notices = createEventReducer(live, {
 *   initial: [] as Notice[],
 *   reduce: { notification: (list, notice) => [notice, ...list].slice(0, 50) },
 * })
 */
export function createEventReducer<S, E = AnyEvents>(
  source: TypedEventSource<E>,
  options: EventReducerOptions<E, S>,
): EventReducer<E, S> {
  const reducers: Readonly<
    Record<string, ((state: S, data: never, meta: EventMeta<never>) => S) | undefined>
  > = options.reduce
  const { onGap } = options
  let state = options.initial
  /** Tells a subscriber, if the state is another one than it knows. */
  const checks = new Set<() => void>()

  source.on(
    '*',
    (event) => {
      // The name comes from the network: `constructor` is no reducer of ours.
      const reduce = Object.hasOwn(reducers, event.event) ? reducers[event.event] : undefined
      if (reduce) state = reduce(state, event.data as never, event.meta as never)
    },
    { passive: true },
  )
  if (onGap) {
    source.onResync((resync) => {
      state = onGap(state, resync)
      for (const check of [...checks]) check()
    })
  }

  return {
    source,
    getState: () => state,
    subscribe(listener) {
      let told = state
      const check = (): void => {
        if (told === state) return
        told = state
        listener()
      }
      checks.add(check)
      const off = source.subscribe(check)
      return () => {
        checks.delete(check)
        off()
      }
    },
  }
}
