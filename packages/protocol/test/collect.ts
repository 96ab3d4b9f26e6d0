import { createDecoder, type DecodedEvent, type DecoderOptions } from '../src/index.ts'

/** All that was seen of a stream. */
export interface Seen {
  readonly events: readonly DecodedEvent[]
  readonly retries: readonly number[]
  /** Read from the stream as it was sent: the decoder ignores them. */
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
  const decoder = createDecoder({
    ...options,
    onEvent: (event) => events.push(event),
    onRetry: (milliseconds) => retries.push(milliseconds),
  })
  const decodeText = new TextDecoder('utf-8', { ignoreBOM: true })
  let text = ''
  let first = true
  for (const chunk of chunks) {
    text += typeof chunk === 'string' ? chunk : decodeText.decode(chunk, { stream: true })
    // Who decodes bytes to text strips the mark.
    decoder.feed(first && typeof chunk === 'string' ? chunk.replace(/^\uFEFF/, '') : chunk)
    first &&= chunk.length === 0
  }
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n?|\n/)
    .slice(0, -1)
  const comments = lines.filter((line) => line.startsWith(':')).map((line) => line.replace(/^: ?/, ''))
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
