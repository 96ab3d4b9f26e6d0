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

/** What a {@link ContractError} tells besides its code. */
export interface ContractErrorOptions {
  readonly cause?: unknown
  readonly issues?: readonly StandardSchemaV1.Issue[] | undefined
}

/** An event that breaks the contract: its name is not one of it, or its payload not of its shape. */
export class ContractError extends Error {
  override readonly name = 'ContractError'
  readonly code: ContractErrorCode
  /** The event's name. */
  readonly event: string
  /** What the schema found, where a schema refused the payload; else empty. */
  readonly issues: readonly StandardSchemaV1.Issue[]
  /** The HTTP status of a handler that fails with it. */
  readonly status = 500

  constructor(code: ContractErrorCode, event: string, message: string, options: ContractErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.event = event
    this.issues = options.issues ?? []
  }
}
