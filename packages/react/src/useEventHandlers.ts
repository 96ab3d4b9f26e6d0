import type {
  ConnectionError,
  EventMeta,
  EventName,
  EventPayload,
  Resync,
  TypedEventSource,
} from '@sse/client'
import { useEffect, useInsertionEffect, useMemo } from 'react'

/** Handlers by event name. */
export type EventHandlers<E> = {
  readonly [N in EventName<E>]?: ((data: EventPayload<E, N>, meta: EventMeta<N>) => void) | undefined
}

/** Functions that are called outside of rendering: always those of the last render. */
export interface EventHandlerOptions<E> {
  /** Called for every event, once and in order, while the component is mounted and not hidden by `<Activity>`. */
  readonly on?: EventHandlers<E> | undefined
  /** Called when events are missing, or may be: refetch what was built from them. */
  readonly onResync?: ((resync: Resync) => void) | undefined
  /** Called for every lost or refused connection, and every event that breaks the contract. */
  readonly onError?: ((error: ConnectionError) => void) | undefined
}

/** Calls the newest handlers. Only another source causes a new subscription, so handlers can be written inline. */
export function useEventHandlers<E>(
  source: TypedEventSource<E> | null,
  options: EventHandlerOptions<E>,
): void {
  // Events of the former source that arrive after this render are for the handlers of the former render.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another source has others
  const newest = useMemo(() => ({ current: options }), [source])
  useInsertionEffect(() => {
    newest.current = options
  })
  const listens = options.on !== undefined
  const judges = options.onError !== undefined
  useEffect(() => {
    if (source === null) return
    const off = [source.onResync((resync) => newest.current.onResync?.(resync))]
    // Only with a handler: without any listener, the source passes events that break the contract to `reportError`.
    if (judges) off.push(source.onError((error) => newest.current.onError?.(error)))
    if (listens)
      off.push(source.on('*', (event) => handle(newest.current.on, event.event, event.data, event.meta)))
    return () => {
      for (const end of off) end()
    }
  }, [source, newest, listens, judges])
}

function handle<E, N extends EventName<E>>(
  handlers: EventHandlers<E> | undefined,
  event: N,
  data: EventPayload<E, N>,
  meta: EventMeta<N>,
): void {
  // The name comes from the network: `constructor` is no handler of ours.
  if (handlers && Object.hasOwn(handlers, event)) handlers[event]?.(data, meta)
}
