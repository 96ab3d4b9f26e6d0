import { withRig } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import type { Resumed, Rig } from '../rig.ts'
import { medians, takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

/** Peers that replay what a reader has missed. */
const PEERS = ['net', 'fastify', 'nchan', 'sse']

/** Readers that come and go, this many times, before anything is measured: the server has been up for a while. */
const FORMER = { readers: 1_000, times: 5 }
/** How long to warm up a slow peer, and how long to measure it, in milliseconds. */
const ENOUGH = 2_000

interface Storm {
  readonly id: string
  readonly title: string
  readonly readers: number
  readonly missed: number
  /** How many readers resume before it counts, and how often, until most code is compiled. */
  readonly warmers: number
  readonly warming: number
  /** How often all of them resume then. */
  readonly times: number
}

const ONE: Storm = {
  id: 'one',
  title: '1 reader',
  readers: 1,
  missed: 10_000,
  // A single reader is served by another code path than ten at once.
  warmers: 1,
  warming: 40,
  times: 15,
}
const FIFTY: Storm = {
  id: 'fifty',
  title: '50 readers',
  readers: 50,
  missed: 10_000,
  warmers: 5,
  warming: 1,
  times: 3,
}
const STORM: Storm = {
  id: 'storm',
  title: '5,000 readers',
  readers: 5_000,
  missed: 100,
  warmers: 500,
  warming: 1,
  times: 1,
}

/** Readers that reconnect all at once and get what they have missed. */
export async function resume(plan: Plan): Promise<Section[]> {
  const peers = chosen(plan, PEERS, ['net', 'fastify', 'sse'], Math.min(2, plan.rounds))
  const storms = plan.quick ? [ONE, FIFTY] : [ONE, FIFTY, STORM]
  progress('resume')
  const outcomes = await takeTurns(peers, (peer) =>
    withRig(peer, async (rig) => {
      for (let time = 0; time < FORMER.times; time++) {
        await rig.open(FORMER.readers, { every: 0 })
        await rig.leave()
      }
      const figures: Record<string, number> = {}
      for (const storm of storms) {
        const { cpu, milliseconds } = await weather(rig, storm)
        figures[`${storm.id}.ms`] = milliseconds
        figures[`${storm.id}.cpu`] = cpu
      }
      return figures
    }),
  )
  return [
    {
      title: 'Resume',
      about: `Readers reconnect all at once with the id of the last event that they have. The time runs from the first connect until the load has read the last event, accepting included; events of 100 B. Medians of up to ${ONE.times} repetitions, after a warm-up: ${FORMER.readers.toLocaleString('en')} readers come and go ${FORMER.times} times, then some resume. The events that are replayed are published anew before each repetition, so no server can reuse what it made for earlier readers; but readers that reconnect together have missed the same, and the server may share it among them. \`net\` concatenates what each has missed from a list of preformatted events; @fastify/sse leaves keeping the events to the application. Peers without replay are left out.`,
      baseline: 'net',
      columns: storms.flatMap(({ id, missed, title }) => {
        const what = `${title}, ${missed.toLocaleString('en')} events`
        return [
          column(`resume.${id}.ms`, what, 'ms', outcomes, `${id}.ms`),
          column(`resume.${id}.cpu`, `${what}: CPU`, 'ms', outcomes, `${id}.cpu`),
        ]
      }),
    },
  ]
}

async function weather(rig: Rig, { missed, readers, times, warmers, warming }: Storm): Promise<Resumed> {
  const come = async (count: number): Promise<Resumed> => {
    const cursor = await rig.server.ask('cursor', undefined)
    const turns = { bytes: 100, common: 100, turns: missed / 100, within: 60_000, pause: 0 }
    await rig.server.ask('publish', turns)
    const resumed = await rig.resume(count, count * missed, { every: 0, ...cursor })
    await rig.leave()
    return resumed
  }
  await several(warming, () => come(warmers))
  return medians(await several(times, () => come(readers)))
}

/** Repeats an act this many times, or fewer if the time is over before; at least once. */
async function several<T>(times: number, act: () => Promise<T>): Promise<readonly T[]> {
  const until = performance.now() + ENOUGH
  const done: T[] = []
  do done.push(await act())
  while (done.length < times && performance.now() < until)
  return done
}
