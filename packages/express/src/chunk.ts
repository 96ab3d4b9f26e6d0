/** Bytes of an event stream, and the same bytes as one chunk of HTTP/1.1, in one piece of memory. */
export interface Chunk {
  readonly bytes: Buffer
  /** @see https://www.rfc-editor.org/rfc/rfc9112.html#name-chunked-transfer-coding */
  readonly framed: Buffer
}

/** How much is written to a stream at a time, in bytes. */
export const SLICE: number = 64 * 1024

const LINE_END = 2

/** The same of text that is all ASCII, to be written as `latin1`: nothing is copied before Node does. */
export interface TextChunk {
  readonly bytes: string
  readonly framed: string
}

/** Text, which is all ASCII, as one chunk. */
export const frameText = (text: string): TextChunk => ({
  bytes: text,
  framed: `${text.length.toString(16)}\r\n${text}\r\n`,
})

/** Joins blocks to one chunk: the only copy that is made of them, however many readers it goes to. */
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
