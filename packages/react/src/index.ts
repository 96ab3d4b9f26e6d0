'use client'

// By name: frameworks with server components refuse `export *` in a client module.
export {
  type AnyContract,
  type AnyEvents,
  type Change,
  type Clock,
  type ClosedState,
  type ConnectingState,
  ConnectionError,
  type ConnectionErrorKind,
  type ConnectionErrorOptions,
  type ConnectionOptions,
  type ConnectionState,
  type Continuity,
  type Contract,
  createEventReducer,
  createEventSource,
  type EventMeta,
  type EventName,
  type EventPayload,
  type EventReducer,
  type EventReducerOptions,
  type EventSourceOptions,
  eventsOf,
  type FailedState,
  fetchTransport,
  type IdleState,
  type KeyedName,
  type Latest,
  type Lifecycle,
  type LifecycleSignal,
  type ListenerOptions,
  nativeTransport,
  type OpenState,
  type PauseCause,
  type PausedState,
  type PerAttempt,
  type Resync,
  type RetryingState,
  type SharedEventSourceOptions,
  type SourceEvent,
  type Status,
  shareEventSource,
  type Transport,
  type TransportHandlers,
  type TransportRequest,
  type TypedEventSource,
} from '@sse/client'
export {
  type EventSourceDefaults,
  EventSourceProvider,
  type EventSourceProviderProps,
} from './EventSourceProvider.tsx'
export type { EventSourceView } from './observation.ts'
export { useCountdown } from './useCountdown.ts'
export type { EventHandlerOptions, EventHandlers } from './useEventHandlers.ts'
export { type UseEventReducerOptions, useEventReducer } from './useEventReducer.ts'
export { type UseEventSourceOptions, useEventSource } from './useEventSource.ts'
export { useLatest } from './useLatest.ts'
