import { type Chunk, joinBlocks, SLICE } from './chunk.ts'
import type { Entry } from './entry.ts'
import type { Run, Segmented } from './segments.ts'

/** What merging needs of a history: its entries by index, and which of their blocks are contiguous. */
export interface Merging extends Segmented {
  run(entry: Entry, bound: number): Run | undefined
}

/** The bytes of a range of entries, and the position that they reach. */
export interface Merged extends Chunk {
  readonly to: number
  /** Whether there is more in the range. */
  readonly more: boolean
}

interface SharedMerge extends Merged {
  readonly history: Merging
  readonly from: number
  readonly bound: number
  readonly limit: number
}

/** How many merges are kept: the slices of a replay of 2 MB, since readers are at different positions in it. */
const SHARED = 32

/**
 * The most recent merges. One list for all histories: the readers of a channel are served one after the other, and quiet
 * channels hold no second copy of their bytes.
 */
let shared: SharedMerge[] = []

/** Forgets the merges of a history that has changed. */
export function unshare(history: Merging): void {
  if (shared.some((merged) => merged.history === history)) {
    shared = shared.filter((merged) => merged.history !== history)
  }
}

/**
 * The bytes of the entries in `(from, bound]`: about `limit` of them, at most a segment more, and at least one entry. They
 * are merged once and shared by all readers that ask for the same range; all of it must be due to them. A full segment is
 * not copied behind what comes before it, but left to the next merge.
 */
export function merge(history: Merging, from: number, bound: number, limit: number): Merged {
  for (let index = shared.length - 1; index >= 0; index--) {
    const merged = shared[index]
    if (
      merged?.history === history &&
      merged.from === from &&
      merged.bound === bound &&
      merged.limit === limit
    )
      return merged
  }
  const blocks: Buffer[] = []
  let chunk: Chunk | undefined
  let size = 0
  let to = from
  let index = history.indexAfter(from)
  let entry = history.at(index)
  while (entry !== undefined && entry.g <= bound && size < limit) {
    const run = history.run(entry, bound)
    if (size > 0 && run?.chunk !== undefined && run.bytes.length >= SLICE) break
    const bytes = run?.bytes ?? entry.frame
    chunk = size === 0 ? run?.chunk : undefined
    if (bytes.length > 0) blocks.push(bytes)
    size += bytes.length
    to = run?.to ?? entry.g
    index = run === undefined ? index + 1 : history.indexAfter(to)
    entry = history.at(index)
  }
  const more = entry !== undefined && entry.g <= bound
  if (!more) to = bound
  const { bytes, framed } = chunk ?? joinBlocks(blocks, size)
  const merged: SharedMerge = { history, from, bound, limit, to, more, bytes, framed }
  if (shared.length >= SHARED) shared.shift()
  shared.push(merged)
  return merged
}
