/**
 * What went wrong: no connection, or a broken one (`network`); a status other than 200 (`http`); not an event stream
 * (`content-type`); no answer in time (`timeout`); silence for two and a half heartbeats (`stale`); an event that breaks the
 * contract, or a request that the transport cannot send (`contract`); an event or a buffer beyond its limit (`overflow`).
 */
export type ConnectionErrorKind =
  | 'network'
  | 'http'
  | 'content-type'
  | 'timeout'
  | 'stale'
  | 'contract'
  | 'overflow'

/** The fields of a {@link ConnectionError} besides its kind. */
export interface ConnectionErrorOptions {
  readonly cause?: unknown
  readonly status?: number | undefined
  readonly body?: string | undefined
  readonly retryAfter?: number | undefined
}

/** Why a connection was lost, refused or given up, or why an event was dropped. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  declare readonly kind: ConnectionErrorKind
  /** The HTTP status, if there was a response. */
  declare readonly status: number | undefined
  /** The beginning of the body of a refusal, as text. */
  declare readonly body: string | undefined
  /** How long the server asks clients to wait, in milliseconds (`Retry-After`): an hour at most. */
  declare readonly retryAfter: number | undefined

  constructor(kind: ConnectionErrorKind, message: string, options: ConnectionErrorOptions = {}) {
    super(message, options)
    Object.assign(this, options, { kind })
  }
}
