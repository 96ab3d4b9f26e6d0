export {
  type ControlEvent,
  type ControlEvents,
  type ControlName,
  decodeControl,
  encodeControl,
  type GapReason,
  isControl,
} from './control.ts'
export { createDecoder, type DecodedEvent, type Decoder, type DecoderOptions } from './decoder.ts'
export { type EventFields, encodeComment, encodeEvent, encodeRetry } from './encode.ts'
export type { ProtocolError, ProtocolErrorCode } from './errors.ts'
