/** Why the library refused something. */
export type SseErrorCode =
  | 'ERR_SSE_ANSWERED'
  | 'ERR_SSE_OTHER_HUB'
  | 'ERR_SSE_PIPELINED'
  | 'ERR_SSE_CHANNEL_NAME'
  | 'ERR_SSE_TOO_MANY_CHANNELS'
  | 'ERR_SSE_TOO_MANY_STREAMS'
  | 'ERR_SSE_EVENT_TOO_LARGE'
  | 'ERR_SSE_CHANNEL_ENDED'
  | 'ERR_SSE_CLOSING'
  | 'ERR_SSE_BROKER'
  | 'ERR_SSE_PRODUCER'

/** An error with a stable `code`, the matching HTTP `status`, and the remedy in its message. */
export class SseError extends Error {
  override readonly name = 'SseError'
  readonly code: SseErrorCode
  /** The status that Express answers with if the handler does not catch the error. */
  readonly status: number
  /** Headers that Express adds to that answer. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: SseErrorCode,
    status: number,
    message: string,
    options: { cause?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.status = status
    this.headers = options.headers ?? {}
  }

  /** The `status`, as NestJS and others call it. */
  get statusCode(): number {
    return this.status
  }
}
