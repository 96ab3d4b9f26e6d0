import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type DecodedPayload, decodePayload } from './codec.ts'
import {
  type EventDefinition,
  isDefinition,
  isSchema,
  type PayloadDefinition,
  type Refused,
  type SendableSchema,
  type StateDefinition,
  type TextDefinition,
} from './definition.ts'
import { assertEventName } from './event-name.ts'
import type { Jsonable } from './jsonable.ts'

/** The event names and payloads of an event stream. Created by {@link defineEvents}, shared by both ends. */
export interface Contract<D extends Definitions = Definitions> {
  readonly definitions: { readonly [N in keyof D]: Defined<D[N]> }
  /**
   * Parses the data of an event and checks it. A method of the contract, so that apps without one do not bundle its code.
   *
   * @throws {@link ContractError}
   */
  decode(event: string, data: string): DecodedPayload
  /** Types only; no such property exists. */
  readonly '~events'?: D
}

/** Any contract, as a bound: `E & Contract` would infer nothing from what is declared as a mere `Contract`. */
export type AnyContract = Pick<Contract, 'definitions' | 'decode'>

/** The form in which a definition is kept; it may be spread into another contract. */
export type Defined<D> =
  D extends StandardSchemaV1<infer I, infer O>
    ? PayloadDefinition<I, O>
    : D extends EventDefinition
      ? D
      : EventDefinition

/** The argument of {@link defineEvents}: an event definition or a Standard Schema by event name. */
export type Definitions = Readonly<Record<string, EventDefinition | StandardSchemaV1>>

/** Event names that the library uses itself. */
export type ReservedName = `sse.${string}` | 'open' | 'error' | '*'

/** Events of any name and payload: the type where no contract is given. */
export type AnyEvents = Record<string, unknown>

/** The event names of `E`, which is a {@link Contract} or a plain type from names to payloads. */
export type EventName<E> =
  E extends Contract<infer D> ? keyof D & string : Exclude<keyof E & string, ReservedName>

/** What `send` and `publish` take for event `N`. */
export type EventInput<E, N extends EventName<E>> =
  E extends Contract<infer D> ? InputOf<D[N]> : N extends keyof E ? Jsonable<E[N]> : never

/** What `on` gets for event `N`. */
export type EventPayload<E, N extends EventName<E>> =
  E extends Contract<infer D> ? PayloadOf<D[N]> : N extends keyof E ? E[N] : never

/** The event names of `E` that are keyed state. */
export type KeyedName<E> =
  E extends Contract<infer D>
    ? {
        [N in keyof D & string]: D[N] extends StateDefinition<infer _I, infer _P, infer K>
          ? K extends true
            ? N
            : never
          : never
      }[keyof D & string]
    : never

/** The newest payload by event name, and for keyed state the newest payload of each key. */
export type Latest<E> = {
  readonly [N in EventName<E>]?:
    | (N extends KeyedName<E> ? Readonly<Record<string, EventPayload<E, N>>> : EventPayload<E, N>)
    | undefined
}

type InputOf<D> = D extends TextDefinition
  ? string
  : D extends { readonly '~types'?: { readonly input: infer I } }
    ? I
    : D extends StandardSchemaV1<infer I, infer _O>
      ? I
      : never

type PayloadOf<D> = D extends TextDefinition
  ? string
  : D extends { readonly '~types'?: { readonly payload: infer P } }
    ? P
    : D extends StandardSchemaV1<infer _I, infer O>
      ? O
      : never

/** Each definition itself if it is valid, else a type that names the mistake. */
export type Checked<D> = {
  readonly [N in keyof D]: N extends ReservedName
    ? Refused<'this event name is reserved'>
    : D[N] extends StandardSchemaV1
      ? SendableSchema<D[N]>
      : D[N]
}

/**
 * Declares once, for both ends, the events and their payloads.
 *
 * @param definitions - by event name: `payload<T>()`, `state<T>()`, `text()` or any Standard Schema (Zod, Valibot,
 *   ArkType, …), whose output is what is sent; the receiver checks it with the same schema, so a transformation must
 *   accept its own output and leave it as it is
 * @throws {@link ContractError} for a name that is reserved (`sse.*`, `open`, `error`, `*`), empty, or has CR, LF or NUL
 * @throws TypeError for any other definition
 *
 * @example
 * export const events = defineEvents({
 *   counter: state<{ value: number }>(),
 *   notification: z.object({ title: z.string() }),
 * })
 *
 * @see https://standardschema.dev
 */
export function defineEvents<const D extends Definitions>(definitions: D & Checked<D>): Contract<D> {
  const entries = Object.entries<EventDefinition | StandardSchemaV1>(definitions).map(
    ([name, definition]) => {
      assertEventName(name)
      if (isSchema(definition)) return [name, { kind: 'payload', schema: definition }] as const
      if (isDefinition(definition)) return [name, definition] as const
      throw new TypeError(
        `The event '${name}' is not defined: use payload<T>(), state<T>(), text() or a Standard Schema.`,
      )
    },
  )
  // Without a prototype, so that `constructor` and `__proto__` are not taken for events.
  const byName = Object.freeze(Object.assign(Object.create(null), Object.fromEntries(entries)))
  return Object.freeze({
    definitions: byName,
    decode: (event: string, data: string) => decodePayload(byName, event, data),
  })
}
