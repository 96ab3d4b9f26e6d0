import type { Chunk } from './chunk.ts'
import type { Entry } from './entry.ts'
import type { History } from './history.ts'

/** One channel of a stream, and which of its entries are due. */
export interface Membership {
  readonly channel: string
  readonly history: History
  /** Entries after this position are due. */
  readonly since: number
  /** States after this position are due as well: a new reader begins with those between `floor` and `since`. */
  readonly floor: number
  /** Up to this position, lost entries do not concern this stream, or were announced. */
  covered: number
  /** The same for states. */
  coveredStates: number
}

/** Adds a block to the slice being made, with its ready chunk if it has one. */
export type Push = (block: Buffer, chunk?: Chunk) => void

/** The next entry of a channel that is due. */
interface Due {
  readonly member: Membership
  readonly index: number
  readonly entry: Entry
}

/** Whether an entry of a channel is due. */
const isDue = (entry: Entry, { floor, since }: Membership): boolean =>
  !entry.gone && (entry.g > since || (entry.subject !== undefined && entry.g > floor))

/** How many live entries after the cursor are due. */
export function countDue(members: readonly Membership[], cursor: number): number {
  let count = 0
  for (const member of members) {
    if (member.history.last <= cursor) continue
    if (cursor >= member.since) {
      count += member.history.countAfter(cursor)
      continue
    }
    for (let index = member.history.indexAfter(cursor); ; index++) {
      const entry = member.history.at(index)
      if (entry === undefined) break
      if (isDue(entry, member) && entry.frame.length > 0) count += 1
    }
  }
  return count
}

/** The channels that have lost something due that the stream was not sent. From now on it counts as announced. */
export function takeMissed(members: readonly Membership[], cursor: number): readonly string[] {
  const channels: string[] = []
  for (const member of members) {
    const { evicted, evictedState } = member.history
    const lost = evicted > Math.max(cursor, member.covered)
    const lostState = evictedState > Math.max(cursor, member.coveredStates)
    if (!lost && !lostState) continue
    member.covered = Math.max(member.covered, evicted)
    member.coveredStates = evictedState
    channels.push(member.channel)
  }
  return channels
}

/**
 * Takes what is due in `(cursor, bound]`, about `limit` bytes of it, in the order of the log.
 *
 * @returns the position that it reaches
 */
export function takeEntries(
  members: readonly Membership[],
  cursor: number,
  bound: number,
  limit: number,
  push: Push,
): number {
  const active: Due[] = []
  for (const member of members) {
    if (member.history.last <= cursor) continue
    const due = nextDue(member, member.history.indexAfter(cursor), bound)
    if (due !== undefined) active.push(due)
  }
  const [only] = active
  if (only !== undefined && active.length === 1 && cursor >= only.member.since) {
    // Everything of one channel and nothing of another: the same bytes for every stream at this position.
    const merged = only.member.history.merge(cursor, bound, limit)
    if (merged.bytes.length > 0) push(merged.bytes, merged)
    return merged.to
  }
  // Sorted by the positions of their next entries, the lowest last: there may be many channels with many entries each.
  active.sort((a, b) => b.entry.g - a.entry.g)
  let reached = cursor
  let taken = 0
  for (let first = active.pop(); first !== undefined; first = active.pop()) {
    const { entry, index, member } = first
    push(entry.frame)
    taken += entry.frame.length
    reached = entry.g
    const due = nextDue(member, index + 1, bound)
    if (due !== undefined) insert(active, due)
    if (taken >= limit) break
  }
  return active.length === 0 ? bound : reached
}

/** The next due entry of a channel from an index on; `undefined` if there is none up to the position `bound`. */
function nextDue(member: Membership, from: number, bound: number): Due | undefined {
  for (let index = from; ; index++) {
    const entry = member.history.at(index)
    if (entry === undefined || entry.g > bound) return undefined
    if (entry.frame.length > 0 && isDue(entry, member)) return { member, index, entry }
  }
}

/** Inserts into a list sorted by descending positions. */
function insert(sorted: Due[], due: Due): void {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle]?.entry.g ?? 0) > due.entry.g) low = middle + 1
    else high = middle
  }
  sorted.splice(low, 0, due)
}

/** The last of the channels' ends, once all of them have ended at or below the cursor: the stream then ends by itself. */
export function endOfAll(
  members: readonly Membership[],
  cursor: number,
): { readonly reason: string; readonly at: number } | undefined {
  let last: Entry | undefined
  for (const { history } of members) {
    const { end } = history
    if (end === undefined || end.g > cursor) return undefined
    if (last === undefined || end.g > last.g) last = end
  }
  return last && { reason: last.end ?? '', at: last.g }
}
