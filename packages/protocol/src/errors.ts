/** Why something cannot be encoded. */
export type ProtocolErrorCode = 'ERR_SSE_FIELD'

/** Thrown for a field that cannot be encoded: its value would forge another field, or is not a valid `retry`. */
export interface ProtocolError extends RangeError {
  readonly code: ProtocolErrorCode
}

/** A RangeError with a code, like those of Node. */
export const protocolError = (code: ProtocolErrorCode, message: string): ProtocolError =>
  Object.assign(new RangeError(message), { code })
