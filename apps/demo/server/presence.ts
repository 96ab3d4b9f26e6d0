import type { Stream } from '@sse/express'
import type { events } from '../shared/events.ts'
import { type Visitor, visitor } from '../shared/visitor.ts'
import { hub, room } from './hub.ts'

/** How long somebody who left is still named, in milliseconds. */
const REMEMBERED = 60_000
/** How many names are told. */
const NAMED = 40

/** By name, until when somebody who left is still named. */
const left = new Map<string, number>()
let planned: NodeJS.Timeout | undefined

/** Tells the room who is here, from the hub's streams alone, whenever one comes or goes. */
export function watchPresence(): void {
  hub.on('connect', announceSoon)
  hub.on('disconnect', (stream) => {
    const { name } = visitorOf(stream)
    if (name !== undefined) {
      left.set(name, Date.now() + REMEMBERED)
      setTimeout(announceSoon, REMEMBERED + 1).unref()
    }
    announceSoon()
  })
}

/** Whose stream it is. */
export const visitorOf = (stream: Stream<typeof events>): Visitor => visitor.parse(stream.locals)

/** A reload is a disconnect and a connect; together they are no news. */
function announceSoon(): void {
  if (planned !== undefined) return
  planned = setTimeout(() => {
    planned = undefined
    void room.publish('presence', present(Date.now()))
  }, 100).unref()
}

function present(at: number) {
  const here = [...hub.streams].map(visitorOf)
  const names = new Set(here.flatMap(({ name }) => name ?? []))
  for (const [name, until] of left) if (until <= at || names.has(name)) left.delete(name)
  // Two connections of one page count once; who says nothing of itself counts by the stream.
  const pages = new Set(here.map(({ id }) => id ?? Symbol('unnamed')))
  const visitors = [
    ...[...names].map((name) => ({ name, away: false })),
    ...[...left.keys()].map((name) => ({ name, away: true })),
  ]
  return {
    here: pages.size,
    visitors: visitors.sort((a, b) => a.name.localeCompare(b.name)).slice(0, NAMED),
    at,
  }
}
