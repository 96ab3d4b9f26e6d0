/** Bytes of an event stream, and the same bytes framed as one HTTP/1.1 chunk, both views of one buffer. */
export interface Chunk {
  readonly bytes: Buffer
  /** @see https://www.rfc-editor.org/rfc/rfc9112.html#name-chunked-transfer-coding */
  readonly framed: Buffer
}

/** How much is written to a stream at a time, in bytes. */
export const SLICE: number = 64 * 1024

const LINE_END = 2

/** A chunk of ASCII text, written as `latin1`, so that only Node copies it. */
export interface TextChunk {
  readonly bytes: string
  readonly framed: string
}

/** Frames ASCII text as one chunk. */
export const frameText = (text: string): TextChunk => ({
  bytes: text,
  framed: `${text.length.toString(16)}\r\n${text}\r\n`,
})

/** Joins blocks into one chunk: their only copy, however many readers get it. */
export function joinBlocks(blocks: readonly Buffer[], size: number): Chunk {
  const head = `${size.toString(16)}\r\n`
  const framed = Buffer.allocUnsafe(head.length + size + LINE_END)
  framed.write(head, 'latin1')
  let at = head.length
  for (const block of blocks) at += block.copy(framed, at)
  framed[at] = 13
  framed[at + 1] = 10
  return { bytes: framed.subarray(head.length, at), framed }
}
