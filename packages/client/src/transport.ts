import type { DecodedEvent } from '@sse/protocol'
import type { Clock } from './clock.ts'
import type { ConnectionError } from './errors.ts'
import type { Lifecycle } from './lifecycle.ts'

/** The request of one attempt. */
export interface TransportRequest {
  /** Absolute, or relative to the page. */
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: BodyInit | undefined
  /** As for `fetch`. */
  readonly credentials: RequestCredentials | undefined
  /** The last event id to resume after; `''` for none. */
  readonly cursor: string
  readonly fetch: typeof fetch | undefined
  /** The event names of the contract, for transports that must know them in advance; `undefined` without a contract. */
  readonly events: readonly string[] | undefined
}

/** What a transport calls during one attempt. After `end`, and after the attempt was aborted, calls have no effect. */
export interface TransportHandlers {
  /**
   * The server answered with an event stream.
   *
   * @param location - where a GET resumes the answer (`Content-Location`), absolute
   */
  open(location?: string): void
  /** An event arrived, in its order. */
  event(event: DecodedEvent): void
  /** The server sent something, even a mere comment; `event` was already called for the events in it. */
  flush(lastEventId: string): void
  /** The reconnection time that the server asks for, in milliseconds. */
  retry(milliseconds: number): void
  /** The attempt is over: refused, broken, or ended by the server (`network`). The status 204 closes the source for good. */
  end(error: ConnectionError): void
}

/** Carries one attempt at a time to the server and back. */
export interface Transport {
  /** Begins an attempt. @returns a function that aborts it and frees what it holds; called once, even after it ended */
  connect(request: TransportRequest, handlers: TransportHandlers): () => void
  /** The clock of the connection, if it is not the real one. */
  readonly clock?: Clock
  /** The signals of the page, if they are not the real ones. */
  readonly lifecycle?: Lifecycle
}
