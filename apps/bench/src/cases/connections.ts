import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { withFleet, withRig } from '../fleet.ts'
import type { Usage } from '../peer.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import type { Rig } from '../rig.ts'
import { type Figures, once, takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'express-sse', 'fastify', 'hono', 'nchan', 'sse']
/** Descriptors that a process has besides its connections. */
const OTHERS = 500

/** Those of whom the lesser number tells enough, once. */
const FEWER = ['http', 'better-sse', 'express-sse', 'hono']
/** Ours, and whom our targets name. */
const NAMED = ['tutorial', 'sse']
/** Readers who come first: by then most code is compiled, and the heap has the size that it has anyway. */
const FIRST = 1_000
/** Those who come in all; and again, once all others have come and gone, so often for the compiler, and so often in turns. */
const READERS = 5_000
const WARMING = 4
const TURNS = 7

/** What a reader costs that hears nothing: to be accepted, and to be kept. */
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
  // With half the ports of an address in use the kernel looks long for a free one, so that the last of them take most of the time.
  const full = await takeTurns(once(plan.quick ? [] : [...peers.keys()].filter(steady)), (peer) =>
    withRig(peer, (rig) => idle(rig, most)),
  )
  const [few, many] = [READERS, most].map((count) => count.toLocaleString('en'))
  return [
    {
      title: 'Idle connections',
      about: `CPU of the server for each connection that it accepts and answers with the head of a stream, 100 at a time; then what its resident memory has grown by, garbage collected. A server has ${FIRST.toLocaleString('en')} readers before any of it counts. The compilers of V8 are busy for longer than that, in threads of their own, whose time counts: most with whom the most code runs. What accepting costs a server that has been up for a while is what it costs again, once readers have come and gone several times.`,
      baseline: 'tutorial',
      columns: [
        column('accept.again', `accepting ${few} again: CPU of each`, 'µs', later, 'again'),
        column('accept.5000', `accepting ${few}: CPU of each`, 'µs', some, 'accept'),
        column('memory.5000', `RSS of each of ${few}`, 'KB', some, 'kilobytes'),
        column('accept.rate', 'accepted/s', '/s', some, 'rate'),
        ...(full.size === 0
          ? []
          : [
              column('accept.most', `accepting ${many}: CPU of each`, 'µs', full, 'accept'),
              column('memory.most', `RSS of each of ${many}`, 'KB', full, 'kilobytes'),
            ]),
      ],
    },
  ]
}

/** Takes so many readers in. */
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

/** What it takes to accept a reader once those before have come and gone. */
async function again(rig: Rig): Promise<number> {
  const before = await quiet(rig)
  await rig.open(READERS, { every: 0 })
  const after = await rig.server.ask('usage', { tidy: false })
  await rig.leave()
  return (after.cpuMicroseconds - before.cpuMicroseconds) / READERS
}

/** What the server has used once it has nothing left to do. */
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
