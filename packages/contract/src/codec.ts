import type { StandardSchemaV1 } from '@standard-schema/spec'
import { assertEventName, type Contract } from './contract.ts'
import type { EventDefinition } from './definition.ts'
import { ContractError } from './errors.ts'

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
  readonly keyed: boolean
}

/**
 * Checks a payload against the contract and serialises it once.
 *
 * @param contract - without it, any event name and any JSON is accepted
 * @throws {@link ContractError}
 */
export function encodePayload(
  contract: Contract | undefined,
  event: string,
  payload: unknown,
): EncodedPayload {
  const definition = definitionOf(contract, event)
  if (definition?.kind === 'text') {
    if (typeof payload !== 'string') throw invalid(event, `expected a string, got ${typeName(payload)}`)
    return { data: payload, key: undefined }
  }
  const checked = check(definition?.schema, event, payload)
  return {
    data: stringify(event, checked),
    key: definition?.kind === 'state' ? keyOf(definition, event, checked) : undefined,
  }
}

/**
 * Parses the data of an event and checks it against the contract.
 *
 * @param contract - without it, the data of every event is JSON
 * @throws {@link ContractError}
 */
export function decodePayload(contract: Contract | undefined, event: string, data: string): DecodedPayload {
  const definition = definitionOf(contract, event)
  if (definition?.kind === 'text') return { payload: data, key: undefined, keyed: false }
  const payload = check(definition?.schema, event, parse(event, data))
  return definition?.kind === 'state'
    ? { payload, key: keyOf(definition, event, payload), keyed: definition.keyed }
    : { payload, key: undefined, keyed: false }
}

function definitionOf(contract: Contract | undefined, event: string): EventDefinition | undefined {
  assertEventName(event)
  if (contract === undefined) return undefined
  const definition = contract.definitions[event]
  if (definition === undefined) {
    const known = Object.keys(contract.definitions).join(', ')
    throw new ContractError(
      'ERR_SSE_UNKNOWN_EVENT',
      event,
      `The event '${event}' is not in the contract (${known}): add it to defineEvents.`,
    )
  }
  return definition
}

function check(schema: StandardSchemaV1 | undefined, event: string, payload: unknown): unknown {
  if (schema === undefined) return payload
  const result = validate(schema, event, payload)
  if ('then' in result) {
    result.then(undefined, () => {}) // refused below, whatever it comes to
    throw new ContractError(
      'ERR_SSE_ASYNC_SCHEMA',
      event,
      `The schema of '${event}' is asynchronous, which would reorder events: use one without async checks.`,
    )
  }
  if (result.issues) throw invalid(event, describe(result.issues), result.issues)
  return result.value
}

function validate(
  schema: StandardSchemaV1,
  event: string,
  payload: unknown,
): ReturnType<StandardSchemaV1['~standard']['validate']> {
  try {
    return schema['~standard'].validate(payload)
  } catch (cause) {
    throw new ContractError('ERR_SSE_INVALID_PAYLOAD', event, `The schema of '${event}' threw: ${cause}.`, {
      cause,
    })
  }
}

function stringify(event: string, payload: unknown): string {
  let data: string | undefined
  let cause: unknown
  try {
    data = JSON.stringify(payload)
  } catch (error) {
    cause = error
  }
  if (data !== undefined) return data
  throw new ContractError(
    'ERR_SSE_NOT_JSON',
    event,
    `The payload of '${event}' (${typeName(payload)}) cannot be sent as JSON: send null for nothing, strings for dates and bigints.`,
    { cause },
  )
}

function parse(event: string, data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new ContractError(
      'ERR_SSE_NOT_JSON',
      event,
      `The data of '${event}' is not JSON: declare it as text() if it is a raw string.`,
      { cause },
    )
  }
}

function keyOf(definition: EventDefinition & { kind: 'state' }, event: string, payload: unknown): string {
  let key: unknown
  let cause: unknown
  try {
    key = definition.key(payload)
  } catch (error) {
    cause = error
  }
  if (typeof key === 'string') return key
  throw new ContractError(
    'ERR_SSE_KEY',
    event,
    `The key of '${event}' must be a string, got ${typeName(key)}.`,
    { cause },
  )
}

const invalid = (
  event: string,
  what: string,
  issues: readonly StandardSchemaV1.Issue[] = [],
): ContractError =>
  new ContractError(
    'ERR_SSE_INVALID_PAYLOAD',
    event,
    `The payload of '${event}' is not of its shape: ${what}.`,
    { issues },
  )

const describe = (issues: readonly StandardSchemaV1.Issue[]): string =>
  issues
    .map(({ path = [], message }) => {
      const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return at ? `${at}: ${message}` : message
    })
    .join('; ')

const typeName = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
