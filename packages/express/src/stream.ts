import type { EventInput, EventName } from '@sse/contract'
import type { Hub } from './hub.ts'
import type { Source } from './producer.ts'

/** One reader's event stream: `res.sse`, and what `hub.stream(res)` returns. It costs next to nothing until it is used. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface Stream<E = any> {
  /** The hub that the stream belongs to. */
  readonly hub: Hub<E>
  /** What the application wants to know of this reader, and find again in `hub.streams`. */
  readonly locals: Record<string, unknown>
  /** The last event id that the client sent. Hostile input. */
  readonly lastEventId: string | undefined
  /** The channels joined. */
  readonly channels: readonly string[]
  /** Aborts when nothing more can be sent: the reader has left, or the stream was ended. */
  readonly signal: AbortSignal
  /** Resolves when the stream is over: later than `signal`, if the reader is slow to take the rest. */
  readonly closed: Promise<void>
  /** Resolves when the reader can take more, or `signal` aborts. */
  readonly ready: Promise<void>
  /**
   * Sends an event to this reader alone. It has no id and is not replayed.
   *
   * @returns as `write` of Node: `false` means accepted, but wait for {@link ready} before sending more; also `false`
   *   when the reader is gone
   * @throws `ContractError` for an event that is none of the contract; {@link SseError} `ERR_SSE_ANSWERED` if the handler
   *   has answered already, `ERR_SSE_EVENT_TOO_LARGE`, or for a stream that a limit refuses
   */
  send<N extends EventName<E>>(event: N, data: EventInput<E, N>): boolean
  /**
   * Sends every item of a source, each when the reader can take it, and stops the source as soon as the reader leaves.
   * If the source fails, the stream is closed with the reason `error`.
   *
   * @returns when all is sent, or the reader is gone
   * @throws {@link SseError} `ERR_SSE_PRODUCER`, with what the source threw as its cause; else as {@link send}. Where nobody
   *   looks at the promise, as {@link join}
   */
  sendAll<N extends EventName<E>>(event: N, source: Source<EventInput<E, N>>): Promise<void>
  /**
   * Lets the reader have what is published to these channels. The first join resumes from the client's cursor: what it
   * missed is replayed, or announced as missing by `sse.gap`. A later one starts now. Joining twice is one join. Who may
   * join a channel may read all that it retains: authorise first.
   *
   * @returns when the channels are subscribed and the head of the answer is sent
   * @throws {@link SseError} `ERR_SSE_CHANNEL_NAME`, `ERR_SSE_TOO_MANY_CHANNELS`, `ERR_SSE_TOO_MANY_STREAMS`,
   *   `ERR_SSE_CLOSING`, `ERR_SSE_ANSWERED`, `ERR_SSE_OTHER_HUB`, `ERR_SSE_PIPELINED`, or of the broker `ERR_SSE_BROKER`.
   *   Where nobody looks at the promise, the request is answered with the error's status, and the hub's `'error'` hears of it.
   */
  join(channels: string | readonly string[], options?: JoinOptions): Promise<void>
  /** Leaves channels; what of them was not written yet is dropped. */
  leave(channels: string | readonly string[]): void
  /** Sends a comment, which clients ignore. @returns as {@link send} */
  comment(text: string): boolean
  /**
   * Ends the stream for good, once all that was sent and published before has been delivered: the client stays away.
   * @defaultValue reason: `'done'`
   */
  close(reason?: string): void
  /** Ends the connection; the client comes back and resumes. */
  disconnect(): void
}

/** The options of {@link Stream.join}. */
export interface JoinOptions {
  /** How many of the newest events of each channel a reader without a cursor gets first. @defaultValue 0: only states */
  readonly last?: number | undefined
}
