import { withRig } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import type { Resumed, Rig } from '../rig.ts'
import { medians, takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

/** Those that replay what a reader has missed. */
const PEERS = ['net', 'fastify', 'nchan', 'sse']

/** So many readers come and go before anything counts, so often: the server is one that has been up for a while. */
const FORMER = { readers: 1_000, times: 5 }
/** Milliseconds for which a slow peer is warmed, and measured. */
const ENOUGH = 2_000

interface Storm {
  readonly id: string
  readonly title: string
  readonly readers: number
  readonly missed: number
  /** How many come before it counts, and how often, until the compiler is done with most. */
  readonly warmers: number
  readonly warming: number
  /** How often all come then. */
  readonly times: number
}

const ONE: Storm = {
  id: 'one',
  title: '1 reader',
  readers: 1,
  missed: 10_000,
  // Who is alone is served another way than ten at once.
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

/** Readers who come back, all at once, and get what they have missed. */
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
      about: `Readers who connect at once with the id of the last event that they have, from the first connecting to the last of 100 B events at the load, accepting included; medians of several times, after ${FORMER.times} times ${FORMER.readers.toLocaleString('en')} readers who came and went, and some of these, for the compiler. Each time everything that is replayed was published since the last one, so that nobody sends again what was made for a former reader; but those who come together have missed the same, and may share it. \`net\` puts what each has missed together from a list of preformatted events; @fastify/sse leaves the list to the application. Of peers that have no replay there is nothing to measure.`,
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

/** Does it so often, or as often as there is time for. */
async function several<T>(times: number, act: () => Promise<T>): Promise<readonly T[]> {
  const until = performance.now() + ENOUGH
  const done: T[] = []
  do done.push(await act())
  while (done.length < times && performance.now() < until)
  return done
}
