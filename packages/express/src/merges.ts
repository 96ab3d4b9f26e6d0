import { type Chunk, joinBlocks, SLICE } from './chunk.ts'
import type { Entry } from './entry.ts'
import type { Run, Segmented } from './segments.ts'

/** What of a history is merged: its entries by index, and where their blocks stand together. */
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

/** Merges that are kept: as many slices as a replay of 2 MB has, for the readers who are not in step with each other. */
const SHARED = 32

/**
 * What was merged of late, and for whom. One list for all histories: the readers of a channel are served one after the
 * other, and channels that are quiet hold no second copies of their bytes.
 */
let shared: SharedMerge[] = []

/** Lets go of what was merged of a history, which has changed. */
export function unshare(history: Merging): void {
  if (shared.some((merged) => merged.history === history)) {
    shared = shared.filter((merged) => merged.history !== history)
  }
}

/**
 * The bytes of the entries in `(from, bound]`, about `limit` of them, a segment more at most, and at least one entry,
 * merged once and shared by every reader who asks for just this range. Only for readers who are due all of it. What is a
 * slice as it stands is not copied behind what comes before it.
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
