import type { TypedEventSource } from '@sse/react'
import type { events } from '../shared/events.ts'

/** One event, by this page's clock in milliseconds. */
export interface Mark {
  readonly kind: 'counter' | 'presence' | 'notification' | 'tick'
  readonly sentAt: number
  readonly receivedAt: number
  readonly caughtUp: boolean
}

/** A time without a connection. `to` is missing while it lasts. */
interface Break {
  readonly from: number
  to: number | undefined
}

/** What the tape shows: the recent events and breaks. */
export interface Recording {
  readonly since: number
  readonly marks: readonly Mark[]
  readonly breaks: readonly Break[]
  stop(): void
}

const KEPT = 120_000

/** Notes when each event was sent and when it arrived, and when there was no connection. */
export function record(source: TypedEventSource<typeof events>): Recording {
  const since = Date.now()
  const marks: Mark[] = []
  const breaks: Break[] = []
  let open = source.getState().status === 'open'
  // The server's clock may differ from this one. The fastest event shows by how much.
  let skew = Number.POSITIVE_INFINITY

  const stopMarks = source.on('*', ({ event, data, meta }) => {
    const receivedAt = Date.now()
    skew = Math.min(skew, receivedAt - data.at)
    if (event === 'server' || event === 'fleet') return
    // What was sent before a first-time reader connected does not belong on its tape.
    if (meta.replayed && source.getState().continuity === 'fresh') return
    marks.push({
      kind: event,
      sentAt: Math.min(receivedAt, data.at + skew),
      receivedAt,
      caughtUp: meta.replayed,
    })
    while (marks[0] !== undefined && marks[0].receivedAt < receivedAt - KEPT) marks.shift()
  })

  const stopBreaks = source.subscribe((change) => {
    if (change !== 'state') return
    const wasOpen = open
    open = source.getState().status === 'open'
    const last = breaks.at(-1)
    if (wasOpen && !open) breaks.push({ from: Date.now(), to: undefined })
    if (!wasOpen && open && last !== undefined) last.to = Date.now()
    while (breaks[0]?.to !== undefined && breaks[0].to < Date.now() - KEPT) breaks.shift()
  })

  return {
    since,
    marks,
    breaks,
    stop() {
      stopMarks()
      stopBreaks()
    },
  }
}
