/** Why something cannot be encoded or decoded. */
export type ProtocolErrorCode = 'ERR_SSE_FIELD' | 'ERR_SSE_OVERFLOW' | 'ERR_SSE_CONTROL'

/** A field that would forge another one, an event that outgrew the decoder's limit, or a malformed control event. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options)
    this.code = code
  }
}
