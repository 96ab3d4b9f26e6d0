import type { AnyEvents, EventName, EventPayload, Latest } from '@sse/contract'
import type { GapReason } from '@sse/protocol'
import type { ConnectionError } from './errors.ts'
import type { ConnectionState } from './state.ts'

/** What comes with a payload. */
export interface EventMeta<N extends string = string> {
  readonly event: N
  /** The last event id of the stream at this event; `''` if there was none. */
  readonly id: string
  /** Whether it happened before the stream was opened and was caught up. */
  readonly replayed: boolean
}

/** An event with its name, discriminated by `event`. */
export type SourceEvent<E = AnyEvents> = {
  [N in EventName<E>]: { readonly event: N; readonly data: EventPayload<E, N>; readonly meta: EventMeta<N> }
}[EventName<E>]

/** Says that events are missing: what was built from them has to be fetched anew. */
export interface Resync {
  readonly reason: GapReason
  /** The channels concerned, where the server names them. */
  readonly channels: readonly string[]
}

/** Which of the two snapshots of a source changed. */
export type Change = 'state' | 'latest'

/** The options of a listener. */
export interface ListenerOptions {
  /** Listens without opening the source or holding it open. @defaultValue false */
  readonly passive?: boolean | undefined
}

/** An event stream that is kept up: typed, resumed where it broke off, and honest about its state. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface TypedEventSource<E = any> {
  /** The last event id, to resume after; `''` if there was none. */
  readonly cursor: string

  /**
   * Listens to one event. The source opens with its first listener.
   *
   * @returns what ends it
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

  /** Hears when events are missing. Does not open the source. */
  onResync(listener: (resync: Resync) => void): () => void
  /**
   * Hears of every lost or refused connection, and of every event that breaks the contract, which goes to `reportError`
   * where nobody listens. A 401 after which the headers are asked for anew, and a 204, are no errors. Does not open the
   * source.
   */
  onError(listener: (error: ConnectionError) => void): () => void

  /** Hears after each change of a snapshot. A subscriber is a listener: the source opens with the first. */
  subscribe(listener: (change: Change) => void, options?: ListenerOptions): () => void
  /** The state of the connection: the same object until it changes. */
  getState(): ConnectionState
  /** The newest payload by event name, and by key for keyed state: the same object until it changes. */
  getLatest(): Latest<E>
  /** What {@link getLatest} began with, and a server renders. */
  getInitialLatest(): Latest<E>

  /** Opens the source and holds it open without listeners. Also after `close()` or a failure. */
  open(): void
  /** Closes the source for good, until `open()` or `reconnect()`. */
  close(reason?: string): void
  /** Connects anew at once instead of at the time planned, also in place of a connection that is open. */
  reconnect(): void
}
