import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Why a contract refused an event. */
export type ContractErrorCode =
  | 'ERR_SSE_EVENT_NAME'
  | 'ERR_SSE_RESERVED_EVENT'
  | 'ERR_SSE_UNKNOWN_EVENT'
  | 'ERR_SSE_INVALID_PAYLOAD'
  | 'ERR_SSE_NOT_JSON'
  | 'ERR_SSE_ASYNC_SCHEMA'
  | 'ERR_SSE_KEY'

/** The fields of a {@link ContractError} besides its code. */
export interface ContractErrorOptions {
  readonly cause?: unknown
  readonly issues?: readonly StandardSchemaV1.Issue[] | undefined
}

/** An event that breaks the contract: its name is not in it, or its payload does not match. */
export class ContractError extends Error {
  override readonly name = 'ContractError'
  readonly code: ContractErrorCode
  /** The event's name. */
  readonly event: string
  /** What the schema found, if a schema refused the payload; else empty. */
  readonly issues: readonly StandardSchemaV1.Issue[]
  /** The status that Express answers with if the handler does not catch the error. */
  readonly status = 500

  constructor(code: ContractErrorCode, event: string, message: string, options: ContractErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.event = event
    this.issues = options.issues ?? []
  }
}
