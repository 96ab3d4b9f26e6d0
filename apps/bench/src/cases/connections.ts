import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { withRig } from '../fleet.ts'
import type { Usage } from '../peer.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import type { Rig } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'express-sse', 'fastify', 'hono', 'nchan', 'sse']
/** Descriptors that a process has besides its connections. */
const OTHERS = 500

/** Those of whom the lesser number tells enough. */
const FEWER = ['http', 'better-sse', 'express-sse', 'hono']
/** Readers who come first: by then most code is compiled, and the heap has the size that it has anyway. */
const FIRST = 1_000
/** Those who come once all others have come and gone, several times; the last times count. */
const AGAIN = 5_000
const TIMES = 6
const COUNTED = 4

/** What a reader costs that hears nothing: to be accepted, and to be kept. */
export async function connections(plan: Plan): Promise<Section[]> {
  const peers = chosen(plan, PEERS, ['tutorial', 'sse'])
  const most = Math.min(descriptors() - OTHERS, 25_000)
  const counts = plan.quick ? [5_000] : [5_000, most]
  progress(`${counts.join(' and ')} idle connections`)
  // With half the ports of an address in use the kernel looks long for a free one, so that the last of them take most of the time.
  const outcomes = await takeTurns(peers, Math.min(2, plan.rounds), (peer) =>
    withRig(
      peer,
      async (rig): Promise<Record<string, number>> =>
        FEWER.includes(peer)
          ? idle(rig, counts.slice(0, 1))
          : { ...(await idle(rig, counts)), again: await again(rig) },
    ),
  )
  return [
    {
      title: 'Idle connections',
      about: `CPU of the server for each connection that it accepts and answers with the head of a stream, 100 at a time; then what its resident memory has grown by, garbage collected. A server has ${FIRST.toLocaleString('en')} readers before any of it counts. The compilers of V8 are busy for longer than that, in threads of their own, whose time counts: most with whom the most code runs. What accepting costs a server that has been up for a while is what it costs again, once readers have come and gone several times.`,
      baseline: 'tutorial',
      columns: [
        column(
          'accept.again',
          `accepting ${AGAIN.toLocaleString('en')} again: CPU of each`,
          'µs',
          outcomes,
          'again',
        ),
        ...counts.flatMap((count) => {
          const many = count.toLocaleString('en')
          const name = count === most ? 'most' : count
          return [
            column(`accept.${name}`, `accepting ${many}: CPU of each`, 'µs', outcomes, `${count}.accept`),
            column(`memory.${name}`, `RSS of each of ${many}`, 'KB', outcomes, `${count}.kilobytes`),
            ...(name === 'most'
              ? []
              : [column('accept.rate', 'accepted/s', '/s', outcomes, `${count}.rate`)]),
          ]
        }),
      ],
    },
  ]
}

/** Takes readers in up to each of these counts. */
async function idle(rig: Rig, counts: readonly number[]): Promise<Record<string, number>> {
  await rig.open(FIRST, { every: 0 })
  const first = await rig.usage()
  const figures: Record<string, number> = {}
  let before = first
  let readers = FIRST
  let cpu = 0
  let seconds = 0
  for (const count of counts) {
    const start = performance.now()
    await rig.open(count - readers, { every: 0 })
    seconds += (performance.now() - start) / 1000
    const { cpuMicroseconds } = await rig.server.ask('usage', { tidy: false })
    cpu += cpuMicroseconds - before.cpuMicroseconds
    before = await rig.usage()
    readers = count
    figures[`${count}.accept`] = cpu / (count - FIRST)
    figures[`${count}.kilobytes`] = (before.rss - first.rss) / 1000 / (count - FIRST)
    figures[`${count}.rate`] = (count - FIRST) / seconds
  }
  return figures
}

/** What it takes to accept a reader once the code for those who come and go is compiled. */
async function again(rig: Rig): Promise<number> {
  let cpu = 0
  for (let time = 1; time <= TIMES; time++) {
    await rig.leave()
    const before = await quiet(rig)
    await rig.open(AGAIN, { every: 0 })
    const after = await rig.server.ask('usage', { tidy: false })
    if (time > TIMES - COUNTED) cpu += after.cpuMicroseconds - before.cpuMicroseconds
  }
  return cpu / AGAIN / COUNTED
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
