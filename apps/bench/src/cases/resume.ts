import { withRig } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import type { Rig } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { type Column, column, type Section } from '../section.ts'

/** Those that replay what a reader has missed. */
const PEERS = ['net', 'fastify', 'nchan', 'sse']

interface Storm {
  readonly id: string
  readonly title: string
  readonly readers: number
  readonly missed: number
}

const STORMS: readonly Storm[] = [
  { id: 'one', title: '1 reader, 10,000 events', readers: 1, missed: 10_000 },
  { id: 'fifty', title: '50 readers, 10,000 events', readers: 50, missed: 10_000 },
  { id: 'storm', title: '5,000 readers, 100 events', readers: 5_000, missed: 100 },
]

/** Readers who come back, all at once, and get what they have missed. */
export async function resume(plan: Plan): Promise<Section[]> {
  const peers = chosen(plan, PEERS, ['net', 'fastify', 'sse'])
  const columns: Column[] = []
  for (const storm of plan.quick ? STORMS.slice(0, 2) : STORMS) {
    progress(`resume: ${storm.title}`)
    const rounds = storm.readers > 1 ? Math.min(2, plan.rounds) : plan.rounds
    const outcomes = await takeTurns(peers, rounds, (peer) => withRig(peer, (rig) => replay(rig, storm)))
    columns.push(
      column(`resume.${storm.id}.ms`, storm.title, 'ms', outcomes, 'milliseconds'),
      column(`resume.${storm.id}.cpu`, `${storm.title}: CPU`, 'ms', outcomes, 'cpu'),
    )
  }
  return [
    {
      title: 'Resume',
      about:
        'Readers who connect with the id of the last event that they have, until the last of 100 B events has arrived, accepting included. `net` sends slices of one list of preformatted events; @fastify/sse leaves the list to the application. Of peers that have no replay there is nothing to measure.',
      baseline: 'net',
      columns,
    },
  ]
}

async function replay(rig: Rig, { missed, readers }: Storm): Promise<{ milliseconds: number; cpu: number }> {
  const run = async (readers: number): Promise<{ milliseconds: number; cpu: number }> => {
    const cursor = await rig.server.ask('cursor', undefined)
    await rig.server.ask('publish', {
      bytes: 100,
      common: 100,
      turns: missed / 100,
      within: 60_000,
      pause: 0,
    })
    const cost = await rig.measure(async () => {
      await rig.open(readers, { every: 1_000, ...cursor })
      return readers * missed
    })
    if (cost.deliveries < cost.expected)
      throw new Error(`${cost.deliveries} of ${cost.expected} deliveries arrived`)
    return { milliseconds: cost.seconds * 1000, cpu: cost.cpu / 1000 }
  }
  // A first reader, for the compiler.
  await run(1)
  await rig.leave()
  return run(readers)
}
