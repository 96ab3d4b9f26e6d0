import { encodeControl } from '@sse/protocol'
import { type Chunk, joinBlocks } from './chunk.ts'
import { formatCursor } from './cursor.ts'

interface Live {
  readonly epoch: string | undefined
  readonly g: number
  readonly text: string
  readonly chunk: Chunk
}

let last: Live | undefined

/**
 * `sse.live` at a position; without an id if the stream has joined no channel. Quiet streams and new ones mostly need the
 * same one, so the last one is kept.
 */
export function liveAt(epoch: string | undefined, g: number): Live {
  if (last === undefined || last.g !== g || last.epoch !== epoch) {
    const text = encodeControl('sse.live', {}, epoch && formatCursor(epoch, g))
    const block = Buffer.from(text)
    last = { epoch, g, text, chunk: joinBlocks([block], block.length) }
  }
  return last
}
