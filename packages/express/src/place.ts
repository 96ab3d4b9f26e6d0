import type { Socket } from 'node:net'
import type { History } from './history.ts'

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

/** Whether no channel but the one that is followed has anything to say to a stream in step. */
export function othersAreQuiet({ cursor, followed, histories }: Place): boolean {
  if (histories === undefined) return true
  for (const history of histories) {
    if (history !== followed && (history.last > cursor || history.evicted > cursor)) return false
  }
  return true
}
