import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { EventDefinition } from './definition.ts'
import { ContractError, type ContractErrorCode, type ContractErrorOptions } from './errors.ts'
import { assertEventName } from './event-name.ts'

/** By name, the events that a contract has. */
type EventDefinitions = Readonly<Record<string, EventDefinition>>

/** A payload as it is sent. */
export interface EncodedPayload {
  /** The value of the event's data: JSON, or the raw string of a text event. */
  readonly data: string
  /** What it supersedes: the state's key, `''` for state without keys; `undefined` where every event counts. */
  readonly key: string | undefined
}

/** A payload as it arrived. */
export interface DecodedPayload {
  readonly payload: unknown
  /** As {@link EncodedPayload.key}. */
  readonly key: string | undefined
}

/**
 * Checks a payload against the contract and serialises it once.
 *
 * @param contract - without it, any event name and any JSON is accepted
 * @throws {@link ContractError}
 */
export function encodePayload(
  contract: { readonly definitions: EventDefinitions } | undefined,
  event: string,
  payload: unknown,
): EncodedPayload {
  assertEventName(event)
  const definition = contract && definitionOf(contract.definitions, event)
  if (definition?.kind === 'text') {
    if (typeof payload !== 'string') throw misshapen(event, `expected a string, got ${typeName(payload)}`)
    // UTF-8 cannot carry half a surrogate pair, but JSON can, as an escape.
    if (/\p{Surrogate}/u.test(payload))
      throw misshapen(
        event,
        'it has half a character (an unpaired surrogate), which UTF-8 cannot carry: split texts between characters, or declare the event as payload<string>()',
      )
    return { data: payload, key: undefined }
  }
  const checked = check(definition?.schema, event, payload)
  return {
    data: stringify(event, checked),
    key: definition?.kind === 'state' ? keyOf(definition, event, checked) : undefined,
  }
}

/**
 * Parses the data of an event and checks it.
 *
 * @throws {@link ContractError}
 */
export function decodePayload(definitions: EventDefinitions, event: string, data: string): DecodedPayload {
  const definition = definitionOf(definitions, event)
  if (definition.kind === 'text') return { payload: data, key: undefined }
  const parsed = attempt(
    () => JSON.parse(data),
    'ERR_SSE_NOT_JSON',
    event,
    'is not JSON: declare a raw string as text()',
  )
  const payload = check(definition.schema, event, parsed)
  return { payload, key: definition.kind === 'state' ? keyOf(definition, event, payload) : undefined }
}

function definitionOf(definitions: EventDefinitions, event: string): EventDefinition {
  const definition = definitions[event]
  if (definition !== undefined) return definition
  const known = Object.keys(definitions).join(', ')
  throw new ContractError(
    'ERR_SSE_UNKNOWN_EVENT',
    event,
    `The event '${event}' is not in the contract (${known}): add it to defineEvents.`,
  )
}

function check(schema: StandardSchemaV1 | undefined, event: string, payload: unknown): unknown {
  if (schema === undefined) return payload
  const validate = () => schema['~standard'].validate(payload)
  const result = attempt(validate, 'ERR_SSE_INVALID_PAYLOAD', event, 'makes its schema throw')
  if ('then' in result) {
    result.then(undefined, () => {}) // refused below, whatever its outcome
    throw refusal(
      'ERR_SSE_ASYNC_SCHEMA',
      event,
      'has an asynchronous schema, which would reorder events: use a synchronous one',
    )
  }
  if (result.issues) throw misshapen(event, describe(result.issues) + hint(payload), result.issues)
  return result.value
}

const NOT_JSON = 'cannot be sent as JSON: send null for nothing, strings for dates and bigints'

/** The most frequent cause. */
const hint = (payload: unknown): string =>
  payload === undefined ? '; if it is req.body, mount express.json() on its route' : ''

function stringify(event: string, payload: unknown): string {
  const data: string | undefined = attempt(() => JSON.stringify(payload), 'ERR_SSE_NOT_JSON', event, NOT_JSON)
  if (data === undefined)
    throw refusal('ERR_SSE_NOT_JSON', event, `${NOT_JSON} (${typeof payload})${hint(payload)}`)
  return data
}

function keyOf(definition: EventDefinition & { kind: 'state' }, event: string, payload: unknown): string {
  const key: unknown = attempt(() => definition.key(payload), 'ERR_SSE_KEY', event, 'has no key')
  // The empty key is that of state without keys.
  if (typeof key !== 'string' || (key === '' && definition.keyed)) {
    throw refusal('ERR_SSE_KEY', event, `needs a non-empty string as key, got ${JSON.stringify(key)}`)
  }
  return key
}

/** Runs an action that may throw, and turns what it throws into an error that says what the problem was. */
function attempt<T>(action: () => T, code: ContractErrorCode, event: string, problem: string): T {
  try {
    return action()
  } catch (cause) {
    throw refusal(code, event, `${problem} (${cause})`, { cause })
  }
}

const misshapen = (event: string, what: string, issues?: readonly StandardSchemaV1.Issue[]): ContractError =>
  refusal('ERR_SSE_INVALID_PAYLOAD', event, `does not match the contract: ${what}`, { issues })

const refusal = (
  code: ContractErrorCode,
  event: string,
  problem: string,
  options?: ContractErrorOptions,
): ContractError => new ContractError(code, event, `The payload of '${event}' ${problem}.`, options)

const describe = (issues: readonly StandardSchemaV1.Issue[]): string =>
  issues
    .map(({ path = [], message }) => {
      const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return at ? `${at}: ${message}` : message
    })
    .join('; ')

const typeName = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
