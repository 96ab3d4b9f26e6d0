import { protocolError } from './errors.ts'

/** The fields of one event. */
export interface EventFields {
  /** The event's name; if left out, readers take it as `message`. */
  readonly event?: string | undefined
  /** The last event id; if left out, the reader's stays as it is. */
  readonly id?: string | undefined
  /** Any string: each of its lines becomes a field. */
  readonly data: string
}

/**
 * One event, its blank line included.
 *
 * @throws {@link ProtocolError} `ERR_SSE_FIELD` if `event` or `id` has CR, LF or NUL, which would forge fields
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function encodeEvent({ event, id, data }: EventFields): string {
  let block = ''
  if (event !== undefined) block += `event: ${singleLine('event', event)}\n`
  if (id !== undefined) block += `id: ${singleLine('id', id)}\n`
  return `${block}${encodeLines('data: ', data)}\n`
}

/** A comment, which readers ignore; each of its lines is one. */
export function encodeComment(text: string): string {
  return `${encodeLines(': ', text)}\n`
}

/**
 * The time after which a reader reconnects.
 *
 * @param milliseconds - a non-negative integer
 * @throws {@link ProtocolError} `ERR_SSE_FIELD` for anything else
 */
export function encodeRetry(milliseconds: number): string {
  if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
    throw protocolError(
      'ERR_SSE_FIELD',
      `retry must be a non-negative integer of milliseconds, got ${milliseconds}.`,
    )
  }
  return `retry: ${milliseconds}\n\n`
}

function encodeLines(prefix: string, text: string): string {
  // Almost no data has line ends: JSON escapes them.
  if (!/[\r\n]/.test(text)) return `${prefix}${text}\n`
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `${prefix}${line}\n`)
    .join('')
}

function singleLine(field: string, value: string): string {
  if (/[\r\n\0]/.test(value)) {
    throw protocolError(
      'ERR_SSE_FIELD',
      `${field} ${JSON.stringify(value)} has CR, LF or NUL, which would forge fields.`,
    )
  }
  return value
}
