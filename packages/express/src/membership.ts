import type { Chunk } from './chunk.ts'
import type { Entry } from './entry.ts'
import type { History } from './history.ts'

/** One channel of a stream: which of its entries the stream is due. */
export interface Membership {
  readonly channel: string
  readonly history: History
  /** Entries beyond it are due. */
  readonly since: number
  /** States beyond it are due as well: those between `floor` and `since` are what a new reader begins with. */
  readonly floor: number
  /** Up to where the loss of entries is none of this stream's, or was announced. */
  covered: number
  /** The same for states, which are due from `floor` on. */
  coveredStates: number
}

/** Takes a block for the slice that is being made, and the chunk that it is by itself if there is one. */
export type Push = (block: Buffer, chunk?: Chunk) => void

/** Where a channel's next entry is that a stream is to be sent. */
interface Due {
  readonly member: Membership
  readonly index: number
  readonly entry: Entry
}

/** Whether a stream is to be sent an entry of a channel. */
const isDue = (entry: Entry, { floor, since }: Membership): boolean =>
  !entry.gone && (entry.g > since || (entry.subject !== undefined && entry.g > floor))

/** Live entries between the cursor and the end, as far as they are due. */
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

/** The channels that lost something the stream has not had, from now on counted as announced. */
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
    // All of one channel and nothing of another: the same bytes for everyone who stands here.
    const merged = only.member.history.merge(cursor, bound, limit)
    if (merged.bytes.length > 0) push(merged.bytes, merged)
    return merged.to
  }
  // In the order of their next entries, the first one last: there may be many channels, of which all have much to say.
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

/** The next of a channel's entries that a stream is to be sent; `undefined` if there is none up to a position. */
function nextDue(member: Membership, from: number, bound: number): Due | undefined {
  for (let index = from; ; index++) {
    const entry = member.history.at(index)
    if (entry === undefined || entry.g > bound) return undefined
    if (entry.frame.length > 0 && isDue(entry, member)) return { member, index, entry }
  }
}

/** Keeps what is sorted by falling positions so. */
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

/** The last word of all the channels, once every one of them has had its own taken: the stream ends by itself then. */
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
