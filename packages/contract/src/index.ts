export { type DecodedPayload, type EncodedPayload, encodePayload } from './codec.ts'
export {
  type AnyContract,
  type AnyEvents,
  type Checked,
  type Contract,
  type Defined,
  type Definitions,
  defineEvents,
  type EventInput,
  type EventName,
  type EventPayload,
  type KeyedName,
  type Latest,
  type ReservedName,
} from './contract.ts'
export {
  type EventDefinition,
  type PayloadDefinition,
  payload,
  type Refused,
  type Sendable,
  type SendableSchema,
  type StateDefinition,
  state,
  type TextDefinition,
  text,
  type Unsendable,
} from './definition.ts'
export { ContractError, type ContractErrorCode, type ContractErrorOptions } from './errors.ts'
export { assertEventName } from './event-name.ts'
export type { Jsonable } from './jsonable.ts'
export { assertRemovable } from './removal.ts'
