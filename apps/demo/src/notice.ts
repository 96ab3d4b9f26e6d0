import type { EventMeta, EventPayload } from '@sse/react'
import type { events } from '../shared/events.ts'

type Notification = EventPayload<typeof events, 'notification'>

/** A notification and how it got here. */
export interface Notice extends Notification {
  /** When it was sent, later after a cut, or from before the page was opened. */
  readonly arrival: 'live' | 'caught up' | 'earlier'
}

/** What was received. */
export interface Inbox {
  /** Whether any event arrived live: what is replayed before that is older than the page. */
  readonly begun: boolean
  /** The newest first. */
  readonly notices: readonly Notice[]
}

export const emptyInbox: Inbox = { begun: false, notices: [] }

const KEPT = 50

/** The inbox after a notification. */
export function received(
  { begun, notices }: Inbox,
  notification: Notification,
  { replayed }: EventMeta,
): Inbox {
  const arrival: Notice['arrival'] = !replayed ? 'live' : begun ? 'caught up' : 'earlier'
  return { begun: begun || !replayed, notices: [{ ...notification, arrival }, ...notices].slice(0, KEPT) }
}

/** The inbox after any other event. */
export const heard = (inbox: Inbox, _data: unknown, { replayed }: EventMeta): Inbox =>
  replayed || inbox.begun ? inbox : { ...inbox, begun: true }
