import type { GapReason } from '@sse/protocol'
import type { Reading } from './broker.ts'
import { judgeCursor } from './cursor.ts'
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
  /** What is known to be missing already. Not what delivery itself finds evicted. */
  readonly gaps: readonly { readonly channels: readonly string[]; readonly reason: GapReason }[]
}

/**
 * Judges a first join: from where each channel is due, and what has to be announced.
 *
 * @param last - how many of the newest entries of each channel a first-time reader gets
 */
export function admit(
  { epoch, head, histories }: Reading,
  lastEventId: string | undefined,
  last: number,
  limits: ReplayLimits,
): Admission {
  const standing = judgeCursor(lastEventId, epoch, head)
  if (standing.kind === 'fresh') return capped(admitFresh(histories, head, last), head, limits)
  const cursor = standing.kind === 'resumed' ? standing.g : 0
  const members: Membership[] = []
  for (const [channel, history] of histories) {
    // Of a log that the reader does not know everything is announced at once, whatever was evicted.
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
    // Who asks for all there ever was is told if it is no longer there.
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
  // All that there is would do: no look at each entry, for each of many readers who come back at once.
  if (retained <= replayEvents && retainedBytes <= replayBytes) return admission
  const due: { readonly g: number; readonly bytes: number; readonly channel: string }[] = []
  for (const { channel, history, since } of admission.members) {
    let index = history.indexAfter(since)
    for (let entry = history.at(index); entry !== undefined; entry = history.at(++index)) {
      if (!entry.gone && entry.subject === undefined)
        due.push({ g: entry.g, bytes: entry.frame.length, channel })
    }
  }
  const total = due.reduce((sum, { bytes }) => sum + bytes, 0)
  if (due.length <= replayEvents && total <= replayBytes) return admission
  due.sort((a, b) => b.g - a.g)
  let bytes = 0
  const kept = due.findIndex((entry, index) => {
    bytes += entry.bytes
    return index >= replayEvents || bytes > replayBytes
  })
  const cut = due[kept]?.g ?? 0
  const channels = new Set(due.slice(kept).map(({ channel }) => channel))
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
