import type { GapReason } from '@sse/protocol'
import type { Reading } from './broker.ts'
import { judgeCursor } from './cursor.ts'
import type { Entry } from './entry.ts'
import type { History } from './history.ts'
import type { Membership } from './membership.ts'

/** How much a reader is replayed at most; what exceeds it is announced as missing. */
export interface ReplayLimits {
  readonly replayEvents: number
  readonly replayBytes: number
}

/** How a stream begins. */
export interface Admission {
  /** Whether the cursor of the request was accepted. */
  readonly resumed: boolean
  readonly cursor: number
  readonly members: readonly Membership[]
  /** What is known to be missing already, without what delivery itself finds evicted. */
  readonly gaps: readonly { readonly channels: readonly string[]; readonly reason: GapReason }[]
}

/**
 * Decides how a join begins: from which position each channel is due, and which gaps to announce.
 *
 * @param last - how many of the newest entries of each channel a first-time reader gets
 */
export function admit(
  { epoch, head, histories, lost }: Reading,
  lastEventId: string | undefined,
  last: number,
  limits: ReplayLimits,
): Admission {
  const standing = judgeCursor(lastEventId, epoch, head, lost)
  if (standing.kind === 'fresh') return capped(admitFresh(histories, head, last), head, limits)
  const cursor = standing.kind === 'resumed' ? standing.g : 0
  const members: Membership[] = []
  for (const [channel, history] of histories) {
    // A lost cursor is announced for all channels at once, which covers what was evicted.
    const covered = standing.kind === 'resumed' ? 0 : history.evicted
    const coveredStates = history.evictedState
    members.push({ channel, history, since: cursor, floor: cursor, covered, coveredStates })
  }
  const gaps = standing.kind === 'lost' ? [{ channels: [...histories.keys()], reason: standing.reason }] : []
  return capped({ resumed: standing.kind === 'resumed', cursor, members, gaps }, head, limits)
}

function admitFresh(histories: ReadonlyMap<string, History>, head: number, last: number): Admission {
  const members: Membership[] = []
  const incomplete: string[] = []
  let cursor = head
  for (const [channel, history] of histories) {
    const since = last === 0 ? head : history.positionBefore(last)
    const coveredStates = history.evictedState
    members.push({ channel, history, since, floor: 0, covered: since, coveredStates })
    cursor = Math.min(cursor, since, history.positionBeforeStates() ?? since)
    // A reader that asks for everything is told if some of it was evicted.
    if (last === Number.POSITIVE_INFINITY && history.evicted > history.origin) incomplete.push(channel)
  }
  const gaps = incomplete.length > 0 ? [{ channels: incomplete, reason: 'evicted' as const }] : []
  return { resumed: false, cursor, members, gaps }
}

/** Cuts a replay down to the newest entries that the limits allow; states are not counted. */
function capped(admission: Admission, head: number, { replayBytes, replayEvents }: ReplayLimits): Admission {
  if (admission.cursor >= head) return admission
  let retained = 0
  let retainedBytes = 0
  for (const { history } of admission.members) {
    retained += history.length
    retainedBytes += history.bytes
  }
  // In the common case everything fits: many readers may reconnect at once, so do not count entry by entry.
  if (retained <= replayEvents && retainedBytes <= replayBytes) return admission
  // Count from the newest entry back, only until a limit is reached: visiting all that is retained, for each of many readers,
  // would block the event loop.
  const tails = new Tails(admission.members)
  let events = 0
  let bytes = 0
  let cut = 0
  for (let entry = tails.take(); entry !== undefined; entry = tails.take()) {
    events += 1
    bytes += entry.frame.length
    if (events <= replayEvents && bytes <= replayBytes) continue
    cut = entry.g
    break
  }
  if (cut === 0) return admission
  const channels = new Set(tails.left())
  const members = admission.members.map((member) => {
    const { channel, covered, since } = member
    return {
      ...member,
      since: Math.max(since, cut),
      covered: channels.has(channel) ? Math.max(covered, cut) : covered,
    }
  })
  return { ...admission, members, gaps: [...admission.gaps, { channels: [...channels], reason: 'evicted' }] }
}

interface Tail {
  readonly member: Membership
  index: number
  entry: Entry
}

/** Iterates over the due entries without a subject of several channels, newest first. */
class Tails {
  /** A binary heap, newest first. */
  readonly #heap: Tail[] = []
  #taken: Membership | undefined

  constructor(members: readonly Membership[]) {
    for (const member of members) {
      const tail = tailOf(member, member.history.indexAfter(Number.POSITIVE_INFINITY))
      if (tail !== undefined) this.#heap.push(tail)
    }
    this.#heap.sort((a, b) => b.entry.g - a.entry.g)
  }

  take(): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined) return undefined
    const { entry, index, member } = first
    this.#taken = member
    const next = tailOf(member, index) ?? heap.pop()
    if (next !== undefined && heap.length > 0) this.#sink(next)
    return entry
  }

  /** The channels with entries left, and that of the entry taken last. */
  left(): string[] {
    const members = this.#heap.map(({ member }) => member)
    if (this.#taken !== undefined) members.push(this.#taken)
    return members.map(({ channel }) => channel)
  }

  #sink(tail: Tail): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      const left = heap[below]
      if (left === undefined) break
      const right = heap[below + 1]
      if (right !== undefined && right.entry.g > left.entry.g) below += 1
      const newer = heap[below]
      if (newer === undefined || newer.entry.g < tail.entry.g) break
      heap[at] = newer
      at = below
    }
    heap[at] = tail
  }
}

/** The newest due entry without a subject before an index. */
function tailOf(member: Membership, before: number): Tail | undefined {
  const { history, since } = member
  for (let index = before - 1; index >= 0; index--) {
    const entry = history.at(index)
    if (entry === undefined || entry.g <= since) return undefined
    if (!entry.gone && entry.subject === undefined) return { member, index, entry }
  }
  return undefined
}
