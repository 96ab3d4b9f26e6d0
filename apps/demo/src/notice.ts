import type { EventMeta, EventPayload } from '@sse/react'
import type { events } from '../shared/events.ts'

type Notification = EventPayload<typeof events, 'notification'>

/** A notification and how it got here. */
export interface Notice extends Notification {
  /** As it was sent, caught up after a cut, or from before the page was opened. */
  readonly arrival: 'live' | 'caught up' | 'earlier'
}

const KEPT = 50

/** The newest first. */
export function received(notices: readonly Notice[], notification: Notification, meta: EventMeta): Notice[] {
  return [{ ...notification, arrival: arrivalOf(meta) }, ...notices].slice(0, KEPT)
}

export const arrivalOf = ({ replayed, id }: EventMeta): Notice['arrival'] =>
  // A stream that resumes has a cursor from its first event on; a first-time reader has none until it is caught up.
  replayed ? (id === '' ? 'earlier' : 'caught up') : 'live'
