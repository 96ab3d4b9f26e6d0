export type {
  AnyContract,
  AnyEvents,
  Contract,
  EventName,
  EventPayload,
  KeyedName,
  Latest,
} from '@sse/contract'
export type { Clock } from './clock.ts'
export { ConnectionError, type ConnectionErrorKind, type ConnectionErrorOptions } from './errors.ts'
export { eventsOf } from './event-iterator.ts'
export { createEventSource } from './event-source.ts'
export { fetchTransport } from './fetch-transport.ts'
export type { Lifecycle, LifecycleSignal } from './lifecycle.ts'
export { nativeTransport } from './native-transport.ts'
export type { ConnectionOptions, EventSourceOptions, PerAttempt } from './options.ts'
export { createEventReducer, type EventReducer, type EventReducerOptions } from './reducer.ts'
export { type SharedEventSourceOptions, shareEventSource } from './shared.ts'
export type { Change, EventMeta, ListenerOptions, Resync, SourceEvent, TypedEventSource } from './source.ts'
export type {
  ClosedState,
  ConnectingState,
  ConnectionState,
  Continuity,
  FailedState,
  IdleState,
  OpenState,
  PauseCause,
  PausedState,
  RetryingState,
  Status,
} from './state.ts'
export type { Transport, TransportHandlers, TransportRequest } from './transport.ts'
