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
  const active: { member: Membership; index: number; entry: Entry }[] = []
  for (const member of members) {
    if (member.history.last <= cursor) continue
    const index = member.history.indexAfter(cursor)
    const entry = member.history.at(index)
    if (entry !== undefined && entry.g <= bound) active.push({ member, index, entry })
  }
  const [only] = active
  if (only !== undefined && active.length === 1 && cursor >= only.member.since) {
    // All of one channel and nothing of another: the same bytes for everyone who stands here.
    const merged = only.member.history.merge(cursor, bound, limit)
    if (merged.bytes.length > 0) push(merged.bytes, merged)
    return merged.to
  }
  let reached = cursor
  let taken = 0
  while (active.length > 0 && taken < limit) {
    const first = active.reduce((a, b) => (b.entry.g < a.entry.g ? b : a))
    const { entry, member } = first
    if (isDue(entry, member) && entry.frame.length > 0) {
      push(entry.frame)
      taken += entry.frame.length
    }
    reached = entry.g
    first.index += 1
    const following = member.history.at(first.index)
    if (following !== undefined && following.g <= bound) first.entry = following
    else active.splice(active.indexOf(first), 1)
  }
  return active.length === 0 ? bound : reached
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
