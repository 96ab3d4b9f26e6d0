import type { Stream } from '@sse/express'
import type { events } from '../shared/events.ts'
import { type Visitor, visitor } from '../shared/visitor.ts'
import { announce } from './announce.ts'
import type { Commons, Roll } from './commons.ts'
import { type DemoHub, ROOM } from './hub.ts'

/** How long somebody who left is still named, in milliseconds. */
const REMEMBERED = 60_000
/** How many names are told. */
const NAMED = 40

/** Tells the room who is here, from the streams of all servers, whenever one comes or goes. */
export function watchPresence(hub: DemoHub, commons: Commons): void {
  const room = hub.channel(ROOM)
  /** By name, until when somebody who left is still named. */
  const left = new Map<string, number>()
  let planned: NodeJS.Timeout | undefined

  hub.on('connect', announceSoon)
  hub.on('disconnect', (stream) => {
    const { name } = visitorOf(stream)
    if (name !== undefined) {
      left.set(name, Date.now() + REMEMBERED)
      setTimeout(announceSoon, REMEMBERED + 1).unref()
    }
    announceSoon()
  })
  hub.on('gap', (_, { reason }) => {
    // The log began anew, and what was said before is gone.
    if (reason === 'epoch') announceSoon()
  })
  // A server that was killed could not say that its visitors left; now that it starts again, it can.
  announceSoon()

  /** A reload is a disconnect and a connect; together they are no news. */
  function announceSoon(): void {
    if (planned !== undefined) return
    planned = setTimeout(() => {
      planned = undefined
      tell().catch((error) => process.stderr.write(`Nobody was told who is here: ${error}\n`))
    }, 100).unref()
  }

  async function tell(): Promise<void> {
    await announce(await read(), read, (presence) =>
      room.publish('presence', { ...presence, at: Date.now() }),
    )
  }

  async function read() {
    const now = Date.now()
    const here = [...hub.streams].map(visitorOf)
    for (const [name, until] of left) {
      if (until <= now || here.some((each) => each.name === name)) left.delete(name)
    }
    const gone = [...left].map(([name, until]) => ({ name, until }))
    return present(await commons.report({ here, left: gone }), now)
  }
}

/** Whose stream it is. */
const visitorOf = (stream: Stream<typeof events>): Visitor => visitor.parse(stream.locals)

function present(rolls: readonly Roll[], now: number) {
  const here = rolls.flatMap((roll) => roll.here)
  const names = new Set(here.flatMap(({ name }) => name ?? []))
  const left = rolls.flatMap((roll) => roll.left).filter(({ name, until }) => until > now && !names.has(name))
  // Two connections of one page count once; who says nothing of itself counts by the stream.
  const pages = new Set(here.map(({ id }) => id ?? Symbol('unnamed')))
  const visitors = [
    ...[...names].map((name) => ({ name, away: false })),
    ...[...new Set(left.map(({ name }) => name))].map((name) => ({ name, away: true })),
  ]
  return {
    here: pages.size,
    visitors: visitors.sort((a, b) => a.name.localeCompare(b.name)).slice(0, NAMED),
  }
}
