import type { AnyContract, AnyEvents, Latest } from '@sse/contract'
import type { ConnectionError } from './errors.ts'
import type { Transport } from './transport.ts'

/** A value, or a function that is called for it before each attempt. */
export type PerAttempt<T> = T | (() => T | Promise<T>)

/** How a connection is made and kept up. */
export interface ConnectionOptions {
  /**
   * Sent with each attempt; a function is called each time, and once more, at once, after a 401.
   * @defaultValue none
   */
  readonly headers?: PerAttempt<Readonly<Record<string, string>>> | undefined
  /**
   * A request other than GET is sent once. It is resumed by GET at the `Content-Location` of its response; without one, a
   * lost connection is final.
   * @defaultValue `'GET'`
   */
  readonly method?: string | undefined
  /** Of a request other than GET. @defaultValue none */
  readonly body?: BodyInit | undefined
  /** As for `fetch`. @defaultValue `'same-origin'` */
  readonly credentials?: RequestCredentials | undefined
  /** Closes the source when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** What carries the requests of `fetchTransport`. @defaultValue the global `fetch` */
  readonly fetch?: typeof fetch | undefined
  /** The last event id to start after, as `hub.cursor()` gave it to the page that was rendered. @defaultValue none */
  readonly cursor?: string | undefined
  /**
   * Decides what to do about a lost or refused connection: retry (`true`), give up (`false`), or the usual (`undefined`),
   * which is to retry after `network`, `timeout`, `stale` and the statuses 408, 425, 429 and 5xx.
   * @defaultValue the usual
   */
  readonly when?: ((error: ConnectionError, attempt: number) => boolean | undefined) | undefined
  /** How many attempts in a row are made. @defaultValue `Infinity` */
  readonly maxAttempts?: number | undefined
  /** How long an attempt waits for the response, in milliseconds. @defaultValue 30,000 */
  readonly connectTimeout?: number | undefined
  /**
   * How often a quiet server sends something, in milliseconds, if it does not announce that itself; 0 for never.
   * @defaultValue 0
   */
  readonly heartbeat?: number | undefined
  /** Whether to close the connection while the page is hidden, and resume after it. @defaultValue false */
  readonly pauseWhenHidden?: boolean | undefined
  /** Carries the requests. @defaultValue `fetchTransport` */
  readonly transport?: Transport | undefined
}

/** The options of {@link createEventSource}. */
export interface EventSourceOptions<E = AnyEvents> extends ConnectionOptions {
  /** The contract; without it, every event is accepted, and its data is parsed as JSON. */
  readonly events?: (E & AnyContract) | undefined
  /**
   * The newest payloads to begin with: those that the page was rendered with, from which `cursor` continues. Without a
   * cursor, `onResync` says that something may be missing since.
   * @defaultValue none
   */
  readonly initial?: Latest<E> | undefined
  /** How long the connection outlives its last listener, in milliseconds. @defaultValue 1,000 */
  readonly linger?: number | undefined
}
