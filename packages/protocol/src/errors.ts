/** Why something cannot be encoded or decoded. */
export type ProtocolErrorCode = 'ERR_SSE_FIELD' | 'ERR_SSE_OVERFLOW' | 'ERR_SSE_CONTROL'

/** A field that would forge another one, an event that outgrew the decoder's limit, or a malformed control event. */
export interface ProtocolError extends RangeError {
  readonly code: ProtocolErrorCode
}

/** An error of the platform's own class with a code, as Node's are. */
export const protocolError = (code: ProtocolErrorCode, message: string): ProtocolError =>
  Object.assign(new RangeError(message), { code })
