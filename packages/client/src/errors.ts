/**
 * What went wrong: no connection, or it broke (`network`); a status other than 200 (`http`); no event stream
 * (`content-type`); no answer in time (`timeout`); silence beyond the heartbeat (`stale`); an event that breaks the contract
 * (`contract`), or a request that the transport cannot send; an event or a buffer beyond its limit (`overflow`).
 */
export type ConnectionErrorKind =
  | 'network'
  | 'http'
  | 'content-type'
  | 'timeout'
  | 'stale'
  | 'contract'
  | 'overflow'

/** What a {@link ConnectionError} tells besides its kind, by the same names. */
export interface ConnectionErrorOptions {
  readonly cause?: unknown
  readonly status?: number | undefined
  readonly body?: string | undefined
  readonly retryAfter?: number | undefined
}

/** Why a connection was lost, refused or given up, or an event dropped. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  declare readonly kind: ConnectionErrorKind
  /** The HTTP status, where there was a response. */
  declare readonly status: number | undefined
  /** The beginning of the body of a refusal, as text. */
  declare readonly body: string | undefined
  /** How long the server asks to stay away, in milliseconds (`Retry-After`). */
  declare readonly retryAfter: number | undefined

  constructor(kind: ConnectionErrorKind, message: string, options: ConnectionErrorOptions = {}) {
    super(message, options)
    Object.assign(this, options, { kind })
  }
}
