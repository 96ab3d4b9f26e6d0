import { withFleet } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import { measureAll, type Rig } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { type Column, column, loadRemarks, type Section } from '../section.ts'

const PEERS = [
  'net',
  'http',
  'tutorial',
  'better-sse',
  'better-sse-batch',
  'express-sse',
  'fastify',
  'hono',
  'nchan',
  'sse',
]

interface Rhythm {
  readonly id: string
  readonly title: string
  readonly perTurn: number
  readonly backToBack: boolean
}

const RHYTHMS: readonly Rhythm[] = [
  { id: '1', title: '1 a turn', perTurn: 1, backToBack: false },
  { id: '10', title: '10 a turn', perTurn: 10, backToBack: false },
  { id: 'flood', title: 'back to back', perTurn: 1, backToBack: true },
]

/** How long a measurement publishes, in milliseconds. */
const WITHIN = 300
/** Turns back to back, and deliveries in them: few enough for a peer that queues them all. */
const FLOOD = { turns: 100, deliveries: 150_000 }

/** One event to many readers: what a delivery costs the server. */
export async function fanOut(plan: Plan): Promise<Section[]> {
  const sections: Section[] = []
  for (const readers of plan.quick ? [1_000] : [100, 1_000, 5_000]) {
    progress(`fan-out to ${readers} readers`)
    const peers = chosen(plan, PEERS, ['net', 'better-sse', 'nchan', 'sse'])
    const rounds = readers === 1_000 ? plan.rounds : Math.min(2, plan.rounds)
    const columns: Column[] = []
    const remarks: string[] = []
    await withFleet(
      peers,
      (rig) => rig.open(readers, { every: 100 }),
      async (fleet) => {
        for (const bytes of plan.quick ? [100] : [100, 1024]) {
          for (const rhythm of RHYTHMS) {
            // The larger events tell the same away from the middle.
            if (bytes > 100 && rhythm.id !== '1' && readers !== 1_000) continue
            const size = bytes === 100 ? '100 B' : '1 KiB'
            const title = `${size}, ${rhythm.title}`
            progress(`  ${title}`)
            const outcomes = await takeTurns(peers, rounds, (peer) =>
              deliver(fleet.rig(peer), readers, bytes, rhythm),
            )
            const id = `fan-out.${readers}.${bytes}.${rhythm.id}`
            columns.push(column(`${id}.cpu`, title, 'µs', outcomes, 'cpu'))
            if (rhythm.backToBack)
              columns.push(column(`${id}.rate`, `${size}, deliveries/s`, '/s', outcomes, 'rate'))
            remarks.push(...loadRemarks(title, outcomes))
          }
        }
      },
    )
    sections.push({
      title: `Fan-out to ${readers.toLocaleString('en')} readers`,
      about:
        'CPU microseconds of the server for each delivery: one or ten events in a turn of the event loop, with a pause between turns, or turns back to back.',
      baseline: 'net',
      columns,
      remarks,
    })
  }
  return sections
}

async function deliver(
  rig: Rig,
  readers: number,
  bytes: number,
  { backToBack, perTurn }: Rhythm,
): Promise<{ cpu: number; rate: number; loadShare: number }> {
  const cost = await measureAll(rig, readers, () =>
    rig.server.ask('publish', {
      bytes,
      common: perTurn,
      turns: backToBack ? Math.min(FLOOD.turns, FLOOD.deliveries / readers) : Number.MAX_SAFE_INTEGER,
      within: WITHIN,
      // About twice what a turn takes, so that no turn meets the one before.
      pause: backToBack ? 0 : Math.ceil((readers * 20 * Math.sqrt(perTurn)) / 1000),
    }),
  )
  return {
    cpu: cost.cpu / cost.deliveries,
    rate: cost.deliveries / cost.seconds,
    loadShare: cost.loadShare,
  }
}
