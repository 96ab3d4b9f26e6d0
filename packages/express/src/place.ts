import type { Socket } from 'node:net'
import { SLICE } from './chunk.ts'
import type { History } from './history.ts'
import type { Membership } from './membership.ts'
import { type Merged, merge } from './merges.ts'

/**
 * Where a stream stands, and whether it is in step: only new entries of its channels are due, and its socket takes them as
 * they are. Anything else to be written, a slow reader, a join or the end take a stream out of step. Then it is served the
 * ordinary way, after which it may be in step again.
 */
export interface Place {
  /** Everything due up to this position was taken. */
  cursor: number
  /** The socket to which framed chunks are written; set while the stream is in step. */
  straight: Socket | undefined
  /** The history from which the stream was served last. */
  followed: History | undefined
  /** The histories of all its channels, if it has several. */
  histories: readonly History[] | undefined
}

/**
 * Takes what is due to a stream to which nothing but entries of its channels is due. In the common case one channel has
 * news, all of which is due, so that every stream at this position gets the same bytes; it costs a look at each channel.
 *
 * @returns `undefined` if nothing is due; `mixed` if what is due must be merged for this stream alone
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
  // A channel of a newer log was joined: all others are about to be read again from that log.
  if (bound <= cursor) return undefined
  const merged = active.merge(cursor, bound, limit)
  place.followed = active
  place.cursor = merged.to
  return merged.bytes.length > 0 ? merged : undefined
}

/**
 * Puts such a stream in step, under the conditions of {@link takeShared}. In each pass, {@link mergeStep} and
 * {@link othersAreQuiet} check only those that may have changed since.
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

/** Whether no channel but the one that is followed has anything for a stream in step. */
export function othersAreQuiet({ cursor, followed, histories }: Place): boolean {
  if (histories === undefined) return true
  for (const history of histories) {
    if (history !== followed && (history.last > cursor || history.evicted > cursor)) return false
  }
  return true
}

/**
 * All entries of a history after a position, for streams to which exactly these are due.
 *
 * @returns `undefined` if there are none, if they exceed a slice, or if a gap or the end is to be announced
 */
export function mergeStep(history: History, from: number): Merged | undefined {
  if (history.last <= from || history.evicted > from || history.end !== undefined) return undefined
  const { g } = history.head
  const merged = merge(history, from, g, SLICE)
  return merged.to === g && merged.bytes.length > 0 ? merged : undefined
}
