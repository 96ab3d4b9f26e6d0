import type { Socket } from 'node:net'
import { SLICE } from './chunk.ts'
import type { History } from './history.ts'
import type { Membership } from './membership.ts'
import { type Merged, merge } from './merges.ts'

/**
 * Where a stream stands, and whether it is in step: nothing is due to it but what its channels say next, and its socket
 * takes that as it is. A stream falls out of step with anything else that is to be written, with a reader who is slow, with
 * a join and with its end; what is due then is delivered the ordinary way, at the end of which it may fall in again.
 */
export interface Place {
  /** Everything that was due up to here was taken. */
  cursor: number
  /** Takes framed chunks, while the stream is in step. */
  straight: Socket | undefined
  /** The channel from which it was served last, while the stream is in step. */
  followed: History | undefined
  /** All of its channels, if these are several. */
  histories: readonly History[] | undefined
}

/**
 * Takes what is due to a stream with nothing to say but what its channels say. The common case, at the cost of a look at
 * each channel: one of them has news, all of which is due, so that everyone who stands here gets the same bytes.
 *
 * @returns `undefined` if there is nothing; `mixed` if what there is, is this stream's alone
 */
export function takeShared(
  place: Place,
  members: readonly Membership[],
  limit: number,
): Merged | undefined | 'mixed' {
  const { cursor } = place
  let active: History | undefined
  let bound = Number.POSITIVE_INFINITY
  for (const { history, since } of members) {
    if (history.evicted > cursor || history.end !== undefined || since > cursor) return 'mixed'
    if (history.head.g < bound) bound = history.head.g
    if (history.last <= cursor) continue
    if (active !== undefined) return 'mixed'
    active = history
  }
  if (active === undefined) {
    if (members.length > 0 && bound > cursor) place.cursor = bound
    return undefined
  }
  // A channel of a newer log was joined, which all channels are about to be read from.
  if (bound <= cursor) return undefined
  const merged = active.merge(cursor, bound, limit)
  place.followed = active
  place.cursor = merged.to
  return merged.bytes.length > 0 ? merged : undefined
}

/**
 * Puts such a stream in step, under the very conditions of {@link takeShared}: {@link mergeStep} and {@link othersAreQuiet}
 * ask in each pass only what can change meanwhile.
 */
export function fallIn(place: Place, members: readonly Membership[], straight: Socket): void {
  const first = members[0]
  if (first === undefined) return
  const { head } = first.history
  for (const { history, since } of members) {
    if (since > place.cursor || history.end !== undefined || history.head !== head) return
  }
  place.followed ??= first.history
  place.straight = straight
}

/** Whether no channel but the one that is followed has anything to say to a stream in step. */
export function othersAreQuiet({ cursor, followed, histories }: Place): boolean {
  if (histories === undefined) return true
  for (const history of histories) {
    if (history !== followed && (history.last > cursor || history.evicted > cursor)) return false
  }
  return true
}

/**
 * All that a history has beyond a position, for readers who are due that and no word more.
 *
 * @returns `undefined` if there is nothing, more than a slice, or something to be said about it
 */
export function mergeStep(history: History, from: number): Merged | undefined {
  if (history.last <= from || history.evicted > from || history.end !== undefined) return undefined
  const { g } = history.head
  const merged = merge(history, from, g, SLICE)
  return merged.to === g && merged.bytes.length > 0 ? merged : undefined
}
