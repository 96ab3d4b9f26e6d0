import type { AnyEvents, EventName, EventPayload, Latest } from '@sse/contract'
import type { GapReason } from '@sse/protocol'
import type { ConnectionError } from './errors.ts'
import type { ConnectionState } from './state.ts'

/** What comes with a payload. */
export interface EventMeta<N extends string = string> {
  readonly event: N
  /** The last event id of the stream at this event; `''` if there was none. */
  readonly id: string
  /** Whether it was published before the stream opened, and is delivered to catch up. */
  readonly replayed: boolean
}

/** An event with its name, discriminated by `event`. */
export type SourceEvent<E = AnyEvents> = {
  [N in EventName<E>]: { readonly event: N; readonly data: EventPayload<E, N>; readonly meta: EventMeta<N> }
}[EventName<E>]

/** Events are missing, or may be: refetch what was built from them. */
export interface Resync {
  readonly reason: GapReason
  /** The channels concerned, if the server names them. */
  readonly channels: readonly string[]
}

/** Which of the two snapshots of a source changed. */
export type Change = 'state' | 'latest'

/** The options of a listener. */
export interface ListenerOptions {
  /** Listens without opening the source or holding it open. @defaultValue false */
  readonly passive?: boolean | undefined
}

/** An event stream that stays connected: typed, resumed where it broke off, and honest about its state. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface TypedEventSource<E = any> {
  /** The last event id, after which it resumes; `''` if there was none. */
  readonly cursor: string

  /**
   * Listens to one event. The source opens with its first listener.
   *
   * @returns a function that removes the listener
   */
  on<N extends EventName<E>>(
    event: N,
    listener: (data: EventPayload<E, N>, meta: EventMeta<N>) => void,
    options?: ListenerOptions,
  ): () => void
  /** Listens to every event. */
  on(
    event: '*',
    listener: (event: SourceEvent<E>, meta: EventMeta<EventName<E>>) => void,
    options?: ListenerOptions,
  ): () => void

  /** Is called when events are missing, or may be. Does not open the source. */
  onResync(listener: (resync: Resync) => void): () => void
  /**
   * Is called for every lost or refused connection, and every event that breaks the contract (which goes to `reportError` if
   * there is no listener). A 401 that is retried with new headers, and a 204, are not errors. Does not open the source.
   */
  onError(listener: (error: ConnectionError) => void): () => void

  /** Is called after each change of a snapshot. A subscriber is a listener: the source opens with the first. */
  subscribe(listener: (change: Change) => void, options?: ListenerOptions): () => void
  /** The state of the connection: the same object until it changes. */
  getState(): ConnectionState
  /** The newest payload by event name, and by key for keyed state: the same object until it changes. */
  getLatest(): Latest<E>
  /** What {@link getLatest} began with, and what a server renders. */
  getInitialLatest(): Latest<E>

  /** Opens the source and keeps it open without listeners, also after `close()` or a failure. */
  open(): void
  /** Closes the source for good, until `open()` or `reconnect()`. */
  close(reason?: string): void
  /** Connects at once, instead of at the planned time, or in place of the open connection. */
  reconnect(): void
}
