import type { EventInput, EventName } from '@sse/contract'
import type { Hub } from './hub.ts'
import type { Source } from './producer.ts'

/** One reader's event stream: `res.sse`, and what `hub.stream(res)` returns. It costs next to nothing until it is used. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface Stream<E = any> {
  /** The hub that the stream belongs to. */
  readonly hub: Hub<E>
  /** The application's own data about this reader, to be found again in `hub.streams`. */
  readonly locals: Record<string, unknown>
  /** The last event id that the client sent. Untrusted input. */
  readonly lastEventId: string | undefined
  /** The channels joined. */
  readonly channels: readonly string[]
  /** Aborts when nothing more can be sent: the reader has left, or the stream was ended. */
  readonly signal: AbortSignal
  /** Resolves when the stream is over: later than `signal` aborts, if the reader is slow to take the rest. */
  readonly closed: Promise<void>
  /** Resolves when the reader can take more, or `signal` aborts. */
  readonly ready: Promise<void>
  /**
   * Sends an event to this reader alone. It has no id and is not replayed.
   *
   * @returns like Node's `write`: `false` means accepted, but wait for {@link ready} before sending more; also `false`
   *   when the reader is gone
   * @throws `ContractError` for an event that breaks the contract; {@link SseError} `ERR_SSE_ANSWERED` if the handler has
   *   already sent a response, `ERR_SSE_EVENT_TOO_LARGE`, or, like {@link join}, if the stream itself is refused
   */
  send<N extends EventName<E>>(event: N, data: EventInput<E, N>): boolean
  /**
   * Sends every item of a source, each when the reader can take it, and stops the source as soon as the reader leaves.
   * If the source fails, the stream is closed with the reason `error`.
   *
   * @returns when all items are sent, or the reader is gone
   * @throws {@link SseError} `ERR_SSE_PRODUCER`, with what the source threw as its `cause`; otherwise like {@link send}. If
   *   the promise is not awaited, like {@link join}
   */
  sendAll<N extends EventName<E>>(event: N, source: Source<EventInput<E, N>>): Promise<void>
  /**
   * Subscribes the reader to channels. The first join resumes from the client's cursor: what the reader missed is replayed,
   * or announced as missing by `sse.gap`. A later join starts now. Joining a channel twice has no effect. Whoever may join
   * a channel may read everything that it retains: authorise first.
   *
   * @returns when the channels are subscribed and the head of the answer is sent
   * @throws {@link SseError} `ERR_SSE_CHANNEL_NAME`, `ERR_SSE_TOO_MANY_CHANNELS`, `ERR_SSE_TOO_MANY_STREAMS`,
   *   `ERR_SSE_CLOSING`, `ERR_SSE_ANSWERED`, `ERR_SSE_OTHER_HUB`, `ERR_SSE_PIPELINED`, or of the broker `ERR_SSE_BROKER`.
   *   If the promise is not awaited, the request is answered with the error's status, and the hub emits `'error'`.
   */
  join(channels: string | readonly string[], options?: JoinOptions): Promise<void>
  /** Leaves channels; their events that were not written yet are dropped. */
  leave(channels: string | readonly string[]): void
  /** Sends a comment, which clients ignore. @returns like {@link send} */
  comment(text: string): boolean
  /**
   * Ends the stream for good, once everything sent and published before has been delivered: the client does not reconnect.
   * @defaultValue reason: `'done'`
   */
  close(reason?: string): void
  /** Ends the connection; the client reconnects and resumes. */
  disconnect(): void
}

/** The options of {@link Stream.join}. */
export interface JoinOptions {
  /**
   * How many of the newest events of each channel come first: for a reader without a cursor, and at a later join for any.
   * @defaultValue 0: only states
   */
  readonly last?: number | undefined
}
