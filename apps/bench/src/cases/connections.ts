import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { withFleet, withRig } from '../fleet.ts'
import type { Usage } from '../peer.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import type { Rig } from '../rig.ts'
import { type Figures, once, takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'express-sse', 'fastify', 'hono', 'nchan', 'sse']
/** File descriptors that a process may need besides those of its connections. */
const OTHERS = 500

/** Peers measured once, and with the smaller number of connections only. */
const FEWER = ['http', 'better-sse', 'express-sse', 'hono']
/** Ours, and the peer that our targets name. */
const NAMED = ['tutorial', 'sse']
/** Readers that come first and are not counted: after them, most code is compiled and the heap has its basic size. */
const FIRST = 1_000
/** Readers in all. To measure accepting again, they come and go `WARMING` times for the compiler, and then in `TURNS` rounds. */
const READERS = 5_000
const WARMING = 4
const TURNS = 7

/** What a reader costs to whom nothing is sent: to accept it, and to keep it. */
export async function connections(plan: Plan): Promise<Section[]> {
  const peers = chosen(plan, PEERS, NAMED)
  const steady = (peer: string): boolean => !FEWER.includes(peer)
  const most = Math.min(descriptors() - OTHERS, 25_000)
  progress(`${READERS} idle connections`)
  const some = await takeTurns(peers, (peer) => withRig(peer, (rig) => idle(rig, READERS)))
  progress(`${READERS} connections again`)
  const turns = chosen(plan, PEERS.filter(steady), NAMED, plan.quick ? 1 : TURNS)
  const later = await withFleet(
    turns.keys(),
    async (rig) => {
      for (let time = 0; time < WARMING; time++) await again(rig)
    },
    (fleet) => takeTurns(turns, async (peer) => ({ again: await again(fleet.rig(peer)) })),
  )
  if (!plan.quick) progress(`${most} idle connections`)
  // In one round: with half the ports of an address in use, the kernel searches long for a free one, which takes most of the time.
  const full = await takeTurns(once(plan.quick ? [] : [...peers.keys()].filter(steady)), (peer) =>
    withRig(peer, (rig) => idle(rig, most)),
  )
  const [few, many] = [READERS, most].map((count) => count.toLocaleString('en'))
  return [
    {
      title: 'Idle connections',
      about: `Server CPU per connection that it accepts and answers with response headers, 100 opened at a time; then the growth of its resident memory per connection, after garbage collection. On a server that has just started, the first ${FIRST.toLocaleString('en')} readers are not counted. V8 goes on compiling after these, in threads whose time counts: most for the peers that run most code. Again: on a server that has been up for a while, after as many readers have come and gone several times.`,
      baseline: 'tutorial',
      columns: [
        column('accept.again', `accepting ${few} again: CPU each`, 'µs', later, 'again'),
        column('accept.5000', `accepting ${few}: CPU each`, 'µs', some, 'accept'),
        column('memory.5000', `memory of each of ${few} (RSS)`, 'KB', some, 'kilobytes'),
        column('accept.rate', 'accepted/s', '/s', some, 'rate'),
        ...(full.size === 0
          ? []
          : [
              column('accept.most', `accepting ${many}: CPU each`, 'µs', full, 'accept'),
              column('memory.most', `memory of each of ${many} (RSS)`, 'KB', full, 'kilobytes'),
            ]),
      ],
    },
  ]
}

/** Opens this many readers. */
async function idle(rig: Rig, count: number): Promise<Figures> {
  await rig.open(FIRST, { every: 0 })
  const before = await rig.usage()
  const start = performance.now()
  await rig.open(count - FIRST, { every: 0 })
  const seconds = (performance.now() - start) / 1000
  const { cpuMicroseconds } = await rig.server.ask('usage', { tidy: false })
  const { rss } = await rig.usage()
  const accepted = count - FIRST
  return {
    accept: (cpuMicroseconds - before.cpuMicroseconds) / accepted,
    kilobytes: (rss - before.rss) / 1000 / accepted,
    rate: accepted / seconds,
  }
}

/** The CPU for accepting a reader after earlier ones have come and gone. */
async function again(rig: Rig): Promise<number> {
  const before = await quiet(rig)
  await rig.open(READERS, { every: 0 })
  const after = await rig.server.ask('usage', { tidy: false })
  await rig.leave()
  return (after.cpuMicroseconds - before.cpuMicroseconds) / READERS
}

/** Waits until the server has nothing left to do. @returns what it has used so far */
async function quiet(rig: Rig): Promise<Usage> {
  let before = await rig.server.ask('usage', { tidy: false })
  for (;;) {
    await setTimeout(200)
    const after = await rig.server.ask('usage', { tidy: false })
    if (after.cpuMicroseconds - before.cpuMicroseconds < 10_000) return after
    before = after
  }
}

/** How many files a process may have open. */
function descriptors(): number {
  const limit = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  return limit === undefined ? 1_024 : Number(limit)
}
