import type { AnyEvents, SharedEventSourceOptions, TypedEventSource } from '@sse/client'
import { useMemo, useSyncExternalStore } from 'react'
import { type EventSourceView, observe } from './observation.ts'
import { type EventHandlerOptions, useEventHandlers } from './useEventHandlers.ts'
import { useSource } from './useSource.ts'

/** The options of {@link useEventSource}: the handlers are for any source, the others for a url. */
export interface UseEventSourceOptions<E = AnyEvents>
  extends SharedEventSourceOptions<E>,
    EventHandlerOptions<E> {}

/**
 * Keeps an event stream open while the component is mounted, and returns its state.
 *
 * The component renders only for what it reads of the result: `latest`, or the state of the connection; handlers cause no
 * render. Everything may be written inline; only another url, `key` or source is another stream, which starts clean. All
 * components of a url or source share one connection.
 *
 * @param source - an event source, or the url of one; `null` for none
 *
 * @example
 * const { status, latest } = useEventSource('/events', {
 *   events,
 *   on: { notification: (notification) => toast(notification.title) },
 * })
 */
export function useEventSource<E = AnyEvents>(
  source: TypedEventSource<E> | string | null | undefined,
  options: UseEventSourceOptions<E> = {},
): EventSourceView<E> {
  const resolved = useSource(source, options)
  // Before the store subscribes, which opens the source: no event may come before its handler.
  useEventHandlers(resolved, options)
  const observation = useMemo(() => observe(resolved), [resolved])
  return useSyncExternalStore(observation.subscribe, observation.getSnapshot, observation.getServerSnapshot)
}
