import { createDecoder, type DecodedEvent, type DecoderOptions } from '../src/index.ts'

/** All that was seen of a stream. */
export interface Seen {
  readonly events: readonly DecodedEvent[]
  readonly retries: readonly number[]
  readonly comments: readonly string[]
  readonly lastEventId: string
}

/** Decodes the chunks of a stream. */
export function collect(
  chunks: Iterable<string | Uint8Array>,
  options: Pick<DecoderOptions, 'lastEventId' | 'maxLength'> = {},
): Seen {
  const events: DecodedEvent[] = []
  const retries: number[] = []
  const comments: string[] = []
  const decoder = createDecoder({
    ...options,
    onEvent: (event) => events.push(event),
    onRetry: (milliseconds) => retries.push(milliseconds),
    onComment: (text) => comments.push(text),
  })
  for (const chunk of chunks) decoder.feed(chunk)
  return { events, retries, comments, lastEventId: decoder.lastEventId }
}

interface Sliceable<T> {
  readonly length: number
  slice(start: number, end?: number): T
}

/** A stream cut before each of these positions. */
export function cut<T extends Sliceable<T>>(stream: T, positions: readonly number[]): T[] {
  const at = [...positions].map((position) => position % (stream.length + 1)).sort((a, b) => a - b)
  return [0, ...at].map((start, index) => stream.slice(start, at[index] ?? stream.length))
}

/** A stream in pieces of one code unit, or of one byte. */
export const crumbs = <T extends Sliceable<T>>(stream: T): T[] =>
  Array.from({ length: stream.length }, (_, index) => stream.slice(index, index + 1))

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
