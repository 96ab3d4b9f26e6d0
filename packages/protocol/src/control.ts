import { type EventFields, encodeEvent } from './encode.ts'
import { ProtocolError } from './errors.ts'

/**
 * Why events are missing: they were dropped for room or age (`evicted`), the log began anew (`epoch`), the cursor is none
 * of this log's (`unknown`), or the channel was joined later than those that the cursor vouches for (`joined`).
 */
export type GapReason = 'evicted' | 'epoch' | 'unknown' | 'joined'

/** The control events by name: what the library itself says on the stream, as ordinary named events with data. */
export interface ControlEvents {
  /** The first event of every stream. */
  'sse.open': {
    /** How often a quiet stream says `sse.live`, in milliseconds. */
    readonly heartbeat: number
    /** Whether the cursor of the request was accepted. */
    readonly resumed: boolean
    /** How many events of the log follow before `sse.live`. */
    readonly replay: number
  }
  /** Events of these channels are missing; what comes next of them is newer. */
  'sse.gap': { readonly channels: readonly string[]; readonly reason: GapReason }
  /** Caught up to its id; said again whenever the stream was quiet for the heartbeat interval. */
  'sse.live': Readonly<Record<never, never>>
  /** A state is no more: its newest event of this key is void. */
  'sse.remove': { readonly event: string; readonly key: string }
  /** The stream is complete and must not be reopened. */
  'sse.close': { readonly reason: string }
}

export type ControlName = keyof ControlEvents

/** A control event as it arrived. */
export type ControlEvent = {
  [N in ControlName]: { readonly event: N; readonly data: ControlEvents[N] }
}[ControlName]

/** A control event in the wire format. */
export function encodeControl<N extends ControlName>(
  event: N,
  data: ControlEvents[N],
  id?: EventFields['id'],
): string {
  return encodeEvent({ event, id, data: JSON.stringify(data) })
}

/** Whether an event's name is the library's own. */
export const isControl = (event: string): boolean => event.startsWith('sse.')

/**
 * Reads a control event.
 *
 * @returns `undefined` for a control event of a later version, which is to be ignored
 * @throws {@link ProtocolError} `ERR_SSE_CONTROL` if its data is not of its shape
 */
export function decodeControl(event: string, data: string): ControlEvent | undefined {
  if (!Object.hasOwn(fields, event)) return undefined
  const name = event as ControlName
  let parsed: unknown
  let cause: unknown
  try {
    parsed = JSON.parse(data)
  } catch (error) {
    cause = error
  }
  if (!hasFields(parsed, fields[name])) {
    throw new ProtocolError('ERR_SSE_CONTROL', `Malformed data of ${event}: ${data.slice(0, 200)}`, { cause })
  }
  return { event: name, data: parsed } as unknown as ControlEvent
}

type FieldType = 'string' | 'boolean' | 'count' | 'strings'

/** What each control event has to carry, and may carry more of. */
const fields: { readonly [N in ControlName]: { readonly [F in keyof ControlEvents[N]]: FieldType } } = {
  'sse.open': { heartbeat: 'count', resumed: 'boolean', replay: 'count' },
  'sse.gap': { channels: 'strings', reason: 'string' },
  'sse.live': {},
  'sse.remove': { event: 'string', key: 'string' },
  'sse.close': { reason: 'string' },
}

const hasFields = (data: unknown, expected: Readonly<Record<string, FieldType>>): boolean =>
  typeOf(data) === 'object' &&
  Object.entries(expected).every(([name, type]) => typeOf(Reflect.get(Object(data), name)) === type)

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? 'strings' : 'array'
  // JSON has negative numbers, and `1e999` is infinite.
  return typeof value === 'number' && value >= 0 && value < Infinity ? 'count' : typeof value
}
