import type { DecodedEvent } from '@sse/protocol'
import type { Clock } from './clock.ts'
import type { ConnectionError } from './errors.ts'
import type { Lifecycle } from './lifecycle.ts'

/** What one attempt asks for. */
export interface TransportRequest {
  /** Absolute, or relative to the page. */
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: BodyInit | undefined
  /** As `fetch` takes it. */
  readonly credentials: RequestCredentials | undefined
  /** The last event id to resume after; `''` for none. */
  readonly cursor: string
  readonly fetch: typeof fetch | undefined
  /** The names that the contract has, for transports that must know them before; `undefined` without a contract. */
  readonly events: readonly string[] | undefined
}

/** What a transport tells of one attempt. After `end`, and after it was aborted, nothing of it is heard. */
export interface TransportHandlers {
  /**
   * The server answered with an event stream.
   *
   * @param location - where the answer can be had again by GET (`Content-Location`), absolute
   */
  open(location?: string): void
  /** An event arrived, in its order. */
  event(event: DecodedEvent): void
  /** The server said something, be it a comment; the events that came with it have been told. */
  flush(lastEventId: string): void
  /** The reconnection time that the server asks for, in milliseconds. */
  retry(milliseconds: number): void
  /** It is over: refused, broken, or ended by the server (`network`). A status of 204 says never to come back. */
  end(error: ConnectionError): void
}

/** Carries one attempt at a time to the server and back. */
export interface Transport {
  /** Begins an attempt. @returns what aborts it, and frees what it holds; called once, also after it ended */
  connect(request: TransportRequest, handlers: TransportHandlers): () => void
  /** The time that the connection lives by, where it is not the real one. */
  readonly clock?: Clock
  /** The signals of the page, where they are not the real ones. */
  readonly lifecycle?: Lifecycle
}
