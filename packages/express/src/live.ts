import { encodeControl } from '@sse/protocol'
import { type Chunk, joinBlocks } from './chunk.ts'
import { formatCursor } from './cursor.ts'

let last: { readonly epoch: string | undefined; readonly g: number; readonly chunk: Chunk } | undefined

/**
 * `sse.live` at a position, without an id where no log stands behind the stream. All whose stream is quiet, and all who
 * join meanwhile, are told the same, so the last one is kept.
 */
export function liveAt(epoch: string | undefined, g: number): Chunk {
  if (last === undefined || last.g !== g || last.epoch !== epoch) {
    const block = Buffer.from(encodeControl('sse.live', {}, epoch && formatCursor(epoch, g)))
    last = { epoch, g, chunk: joinBlocks([block], block.length) }
  }
  return last.chunk
}
