import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { GapReason } from '@sse/protocol'
import type { Channel } from './channel.ts'
import type { Stream } from './stream.ts'

/**
 * An event hub, and the middleware that gives every response its `res.sse`. Mount it once, before the routes that stream:
 * `app.use(hub)`. Mounting it twice has no effect; of two hubs, the one mounted nearest to the route wins.
 */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface Hub<E = any> {
  (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    next: (error?: unknown) => void,
  ): void
  /** The streams of this server. */
  readonly streams: ReadonlySet<Stream<E>>
  /**
   * A channel by its name.
   *
   * @throws {@link SseError} `ERR_SSE_CHANNEL_NAME`
   */
  channel(name: string): Channel<E>
  /**
   * The stream of a response, typed by this hub's contract. Works without the middleware as well, on bare `node:http`.
   *
   * @throws {@link SseError} `ERR_SSE_OTHER_HUB` if the response is another hub's stream already
   */
  stream(response: ServerResponse | Http2ServerResponse): Stream<E>
  /**
   * Listens to what happens to streams, and to errors.
   *
   * @returns a function that removes the listener
   * @throws TypeError for an unknown event
   */
  on<N extends keyof HubEvents<E>>(event: N, listener: (...args: HubEvents<E>[N]) => void): () => void
  /** Current figures of this server. */
  stats(): HubStats
  /**
   * The current position of the log. Read it before you query the data that a page is rendered from: a client that starts
   * at it misses nothing that the query did not see.
   */
  cursor(): Promise<string>
  /**
   * Accepts no new streams, tells every client when to reconnect, and ends the streams spread over a window of time.
   *
   * @returns when all streams are over and the broker is closed; `server.close()` then returns
   */
  close(options?: CloseOptions): Promise<void>
}

/** What a hub emits, by event. */
export interface HubEvents<E> {
  /** A stream has sent its head. */
  connect: [stream: Stream<E>]
  /** A stream is over. */
  disconnect: [stream: Stream<E>]
  /** A reader has missed events, and was told so. */
  gap: [stream: Stream<E>, gap: { readonly channels: readonly string[]; readonly reason: GapReason }]
  /** A failure that could not be thrown to a caller. Without a listener, it becomes a process warning. */
  error: [error: unknown]
}

/** What {@link Hub.stats} returns. */
export interface HubStats {
  /** Streams that are open, or being joined. */
  readonly streams: number
  /** Channels in use: joined, being joined, or with a producer at work. */
  readonly channels: number
  /** Publishes since the start: events, removals and ends, whether or not the broker took them. */
  readonly published: number
  /** Gaps announced since the start. */
  readonly gaps: number
}

/** The options of {@link Hub.close}. */
export interface CloseOptions {
  /**
   * Milliseconds over which streams are ended, and after which what is left is cut off; readers that are slow to take the
   * rest have at least 500. @defaultValue 0: all are ended at once
   */
  readonly within?: number | undefined
}
