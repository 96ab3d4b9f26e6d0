import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Jsonable } from './jsonable.ts'

/** One event of a contract, with the types of what is sent (`Input`) and what arrives (`Payload`). */
export type EventDefinition<Input = unknown, Payload = unknown> =
  | PayloadDefinition<Input, Payload>
  | StateDefinition<Input, Payload, boolean>
  | TextDefinition

/** An ordinary event: every one counts. */
export interface PayloadDefinition<Input, Payload> {
  readonly kind: 'payload'
  readonly schema: StandardSchemaV1<Input, Payload> | undefined
  /** Types only; no such property exists. */
  readonly '~types'?: { readonly input: Input; readonly payload: Payload }
}

/** An event that carries a state: only the newest one (of its key) counts. */
export interface StateDefinition<Input, Payload, Keyed extends boolean> {
  readonly kind: 'state'
  readonly schema: StandardSchemaV1<Input, Payload> | undefined
  readonly keyed: Keyed
  /** The key of a payload, not empty; `''` for state without keys. A method, so that it does not make the type invariant. */
  key(payload: Payload): string
  readonly '~types'?: { readonly input: Input; readonly payload: Payload }
}

/** A raw string, sent as it is and not as JSON. Its line ends arrive as `\n`. */
export interface TextDefinition {
  readonly kind: 'text'
}

/** What stands in for a schema whose output cannot be sent and checked again. */
export interface Refused<Why extends string> {
  readonly '~refused': Why
}

/** The schema itself where its output can be sent as JSON and is a valid input again, else a type that nothing satisfies. */
export type SendableSchema<S extends StandardSchemaV1> = [StandardSchemaV1.InferOutput<S>] extends [
  Jsonable<StandardSchemaV1.InferOutput<S>>,
]
  ? [StandardSchemaV1.InferOutput<S>] extends [StandardSchemaV1.InferInput<S>]
    ? S
    : Refused<'the output of the schema must be a valid input again: the receiver checks it with the same schema'>
  : Refused<'JSON cannot carry the output of this schema'>

/** Anything where JSON carries `T`, else a type that nothing satisfies. */
export type Sendable<T> = [T] extends [Jsonable<T>] ? unknown : Refused<'JSON cannot carry this payload'>

/** No argument where JSON carries `T`, else one that nobody has, so that the call does not compile. */
export type Unsendable<T> = unknown extends Sendable<T> ? [] : [refused: Sendable<T>]

/**
 * An event declared by its type alone; nothing is checked at run time.
 *
 * @example
 * defineEvents({ ping: payload<null>() })
 */
export function payload<T>(...JSON_cannot_carry_this_payload: Unsendable<T>): PayloadDefinition<T, T> {
  if (JSON_cannot_carry_this_payload.length > 0)
    throw new TypeError(
      'payload() takes no arguments: a schema is an event definition by itself, without payload().',
    )
  return { kind: 'payload', schema: undefined }
}

/** An event whose data is a raw string, not JSON. Its line ends arrive as `\n`. */
export function text(): TextDefinition {
  return { kind: 'text' }
}

/**
 * An event of which only the newest counts, or the newest of each key: a first-time reader gets it at once, a slow one
 * skips what it supersedes.
 *
 * @param schema - a Standard Schema, to check payloads at run time
 * @param key - returns the key of a payload: those of the same key supersede each other; without it, all do
 *
 * @example
 * defineEvents({
 *   counter: state<{ value: number }>(),
 *   quote: state<Quote>((quote) => quote.symbol),
 * })
 */
export function state<S extends StandardSchemaV1>(
  schema: S & SendableSchema<S>,
): StateDefinition<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>, false>
export function state<S extends StandardSchemaV1>(
  schema: S & SendableSchema<S>,
  key: (payload: StandardSchemaV1.InferOutput<S>) => string,
): StateDefinition<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>, true>
export function state<T>(key: ((payload: T) => string) & Sendable<T>): StateDefinition<T, T, true>
export function state<T>(...JSON_cannot_carry_this_payload: Unsendable<T>): StateDefinition<T, T, false>
export function state(first?: unknown, second?: unknown): StateDefinition<unknown, unknown, boolean> {
  // The schemas of some libraries are functions, so an argument is a schema before it is a key function.
  const schema = isSchema(first) ? first : undefined
  const key = schema === undefined ? first : second
  if ((key !== undefined && !isKey(key)) || (key === first && second !== undefined))
    throw new TypeError(
      'state() takes a Standard Schema, if any, and then a function from a payload to its key.',
    )
  return { kind: 'state', schema, keyed: isKey(key), key: isKey(key) ? key : () => '' }
}

const isKey = (value: unknown): value is (payload: unknown) => string => typeof value === 'function'

export function isSchema(value: unknown): value is StandardSchemaV1 {
  return value !== null && (typeof value === 'object' || typeof value === 'function') && '~standard' in value
}

export function isDefinition(value: unknown): value is EventDefinition {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'payload' || value.kind === 'state' || value.kind === 'text')
  )
}
