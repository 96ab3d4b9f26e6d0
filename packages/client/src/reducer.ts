import type { AnyEvents, EventName, EventPayload } from '@sse/contract'
import type { EventMeta, Resync, TypedEventSource } from './source.ts'

/** The options of {@link createEventReducer}. */
export interface EventReducerOptions<E, S> {
  readonly initial: S
  /** By event name, returns the state after an event. Must be pure. */
  readonly reduce: {
    readonly [N in EventName<E>]?: ((state: S, data: EventPayload<E, N>, meta: EventMeta<N>) => S) | undefined
  }
  /** Returns the state after events went missing. @defaultValue it stays the same */
  readonly onGap?: ((state: S, resync: Resync) => S) | undefined
}

/** A store of the state to which a source's events are reduced. */
export interface EventReducer<E, S> {
  readonly source: TypedEventSource<E>
  /** The same object until it changes. */
  getState(): S
  /** Is called after changes, once for events that arrived together. Opens the source as a listener does. */
  subscribe(listener: () => void): () => void
}

/**
 * Reduces the events of a source to a state, from now on, whether or not anybody subscribes. It lives as long as the source,
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
  /** Each notifies one subscriber, if the state has changed since it was last notified. */
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
