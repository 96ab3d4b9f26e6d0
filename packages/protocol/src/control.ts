import { type EventFields, encodeEvent } from './encode.ts'

/**
 * Why events are missing: they were dropped for size or age (`evicted`), the log began anew (`epoch`), the cursor is not one
 * of this log (`unknown`), or the channel was joined after those that the cursor covers (`joined`).
 */
export type GapReason = 'evicted' | 'epoch' | 'unknown' | 'joined'

/** The control events by name: what the library itself sends on a stream, as ordinary named events with data. */
export interface ControlEvents {
  /** The first event of every stream; sent once more if a cursor is accepted only after other events were sent. */
  'sse.open': {
    /** How often a quiet stream sends `sse.live`, in milliseconds. */
    readonly heartbeat: number
    /** Whether the cursor of the request was accepted. */
    readonly resumed: boolean
    /** How many events of the log follow before `sse.live`. */
    readonly replay: number
  }
  /** Events of these channels are missing; those that follow are newer. */
  'sse.gap': { readonly channels: readonly string[]; readonly reason: GapReason }
  /** The reader has caught up to its id; sent again whenever the stream was quiet for the heartbeat interval. */
  'sse.live': Readonly<Record<never, never>>
  /** A state was removed: the newest event of this key no longer counts. */
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

/** By name, the fields that a control event has to carry; it may carry more. */
const fields: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'sse.open': { heartbeat: Number, resumed: Boolean, replay: Number },
  'sse.gap': { channels: Array, reason: String },
  'sse.live': {},
  'sse.remove': { event: String, key: String },
  'sse.close': { reason: String },
}

/**
 * Reads a control event.
 *
 * @returns `undefined` for a control event of a later version, which is to be ignored
 * @throws RangeError if its data is malformed
 */
export function decodeControl(event: string, data: string): ControlEvent | undefined {
  const expected = isControl(event) && fields[event]
  if (!expected) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(data)
  } catch {} // what is not JSON lacks the fields as well, if there are any
  if (!Object.entries(expected).every(([name, type]) => Object(parsed)[name]?.constructor === type)) {
    throw new RangeError(`Malformed ${event}: ${data.slice(0, 99)}`)
  }
  return { event, data: parsed } as ControlEvent
}
