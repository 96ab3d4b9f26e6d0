/** Bytes of an event stream, and the same bytes as one chunk of HTTP/1.1, in one piece of memory. */
export interface Chunk {
  readonly bytes: Buffer
  /** @see https://www.rfc-editor.org/rfc/rfc9112.html#name-chunked-transfer-coding */
  readonly framed: Buffer
}

/** How much is written to a stream at a time, in bytes. */
export const SLICE: number = 64 * 1024

const LINE_END = 2

/** Joins blocks to one chunk: the only copy that is made of them, however many readers it goes to. Texts are written as UTF-8. */
export function joinBlocks(blocks: readonly (Buffer | string)[], size: number): Chunk {
  const head = `${size.toString(16)}\r\n`
  const framed = Buffer.allocUnsafe(head.length + size + LINE_END)
  framed.write(head, 'latin1')
  let at = head.length
  for (const block of blocks)
    at += typeof block === 'string' ? framed.write(block, at) : block.copy(framed, at)
  framed[at] = 13
  framed[at + 1] = 10
  return { bytes: framed.subarray(head.length, at), framed }
}
