import { readFileSync } from 'node:fs'
import { withRig } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import { takeTurns } from '../rounds.ts'
import { type Column, column, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'express-sse', 'fastify', 'hono', 'nchan', 'sse']
/** Descriptors that a process has besides its connections. */
const OTHERS = 500

/** What a reader costs that hears nothing: to be accepted, and to be kept. */
export async function connections(plan: Plan): Promise<Section[]> {
  const peers = chosen(plan, PEERS, ['tutorial', 'sse'])
  const columns: Column[] = []
  const most = Math.min(descriptors() - OTHERS, 25_000)
  for (const readers of plan.quick ? [2_000] : [5_000, most]) {
    progress(`${readers} idle connections`)
    // One round: so many of them average out what few take several for.
    const outcomes = await takeTurns(peers, 1, (peer) =>
      withRig(peer, async (rig) => {
        // The first ones pay for the compiler.
        await rig.open(200)
        const before = await rig.usage()
        const start = performance.now()
        await rig.open(readers - 200)
        const seconds = (performance.now() - start) / 1000
        const { cpuMicroseconds } = await rig.server.ask('usage', { tidy: false })
        const { rss } = await rig.usage()
        return {
          accept: (cpuMicroseconds - before.cpuMicroseconds) / (readers - 200),
          rate: (readers - 200) / seconds,
          kilobytes: (rss - before.rss) / 1000 / (readers - 200),
        }
      }),
    )
    const many = readers.toLocaleString('en')
    columns.push(
      column(`accept.${readers}`, `accepting ${many}: CPU of each`, 'µs', outcomes, 'accept'),
      column(
        `memory.${readers === most ? 'most' : readers}`,
        `RSS of each of ${many}`,
        'KB',
        outcomes,
        'kilobytes',
      ),
    )
    if (readers !== most) columns.push(column('accept.rate', 'accepted/s', '/s', outcomes, 'rate'))
  }
  return [
    {
      title: 'Idle connections',
      about:
        'CPU of the server for each connection that it accepts and answers with the head of a stream, 100 at a time; then what its resident memory has grown by, garbage collected.',
      baseline: 'tutorial',
      columns,
    },
  ]
}

/** How many files a process may have open. */
function descriptors(): number {
  const limit = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  return limit === undefined ? 1_024 : Number(limit)
}
