import { withFleet, withRig } from '../fleet.ts'
import { chosen, latencySeconds, moreRounds, type Plan, progress } from '../plan.ts'
import { type Cost, measureAll, type Rig } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { column, loadRemarks, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'fastify', 'nchan', 'sse']
const READERS = 1_000
const RATE = 1_000
/** How long late events are still counted, in milliseconds. */
const GRACE = 500
/** For how long the server publishes before it counts, in milliseconds. */
const WARMING = 1_000

/** How late events are that are published by the clock: at a gentle rate, and at one that overloads most peers. */
export async function latency(plan: Plan): Promise<Section[]> {
  return [await gentle(plan), await overload(plan)]
}

async function gentle(plan: Plan): Promise<Section> {
  progress('latency at 20 events/s')
  // Its p99 is that of few events, any of which something else may delay.
  const peers = chosen(plan, PEERS, ['net', 'nchan', 'sse'], moreRounds(plan))
  const seconds = latencySeconds(plan)
  const outcomes = await withFleet(
    peers.keys(),
    async (rig) => {
      await rig.open(READERS)
      // Warms up the compiler.
      await pour(rig, { bytes: 1024, rate: 20, seconds: 0.5 })
    },
    (fleet) =>
      takeTurns(peers, async (peer) => {
        const cost = await pour(fleet.rig(peer), { bytes: 1024, rate: 20, seconds })
        if (cost.deliveries < cost.expected)
          throw new Error(`${cost.deliveries} of ${cost.expected} deliveries arrived`)
        return { p50: cost.taken.p50, p99: cost.taken.p99, cpu: cost.cpu / cost.deliveries }
      }),
  )
  return {
    title: 'Latency at 20 events/s to 1,000 readers',
    about: 'Events of 1 KiB; the time from when an event was due until the load has read it.',
    baseline: 'net',
    columns: [
      column('latency.p50', 'p50', 'ms', outcomes, 'p50'),
      column('latency.p99', 'p99', 'ms', outcomes, 'p99'),
    ],
  }
}

async function overload(plan: Plan): Promise<Section> {
  progress('open loop')
  const seconds = plan.quick ? 1 : 2
  const peers = chosen(plan, PEERS, ['net', 'sse'])
  const outcomes = await takeTurns(peers, (peer) =>
    withRig(peer, async (rig) => {
      await rig.open(READERS, { every: 20 })
      await warm(rig)
      const cost = await pour(rig, { bytes: 100, rate: RATE, seconds }, GRACE)
      return {
        rate: cost.deliveries / cost.seconds,
        p50: cost.taken.p50,
        p99: cost.taken.p99,
        cpu: cost.cpu / cost.deliveries,
        loadShare: cost.loadShare,
      }
    }),
  )
  const at = `${RATE.toLocaleString('en')} events/s`
  return {
    title: 'Open loop: events by the clock to 1,000 readers',
    about: `Events of 100 B for ${seconds} s, at a server that is warmed up. The publisher does not wait for a slow server: latency counts from when an event was due. Events that have not arrived half a second after the last was published are counted neither as deliveries nor in the latencies.`,
    baseline: 'net',
    columns: [
      column(`open-loop.${RATE}.rate`, `${at}: deliveries/s`, '/s', outcomes, 'rate'),
      column(`open-loop.${RATE}.p50`, `${at}: p50`, 'ms', outcomes, 'p50'),
      column(`open-loop.${RATE}.p99`, `${at}: p99`, 'ms', outcomes, 'p99'),
      column(`open-loop.${RATE}.cpu`, `${at}: CPU per delivery`, 'µs', outcomes, 'cpu'),
    ],
    remarks: loadRemarks(at, outcomes),
  }
}

/** Warms up the compiler, which has most to do for the peers that run most code: if it delays one event in a hundred, that is the p99. */
async function warm(rig: Rig): Promise<void> {
  const turns = { bytes: 100, common: 1, turns: 50, within: 300, pause: 1 }
  await measureAll(rig, READERS, () => rig.server.ask('publish', turns), WARMING)
}

function pour(
  rig: Rig,
  what: { readonly bytes: number; readonly rate: number; readonly seconds: number },
  patience = 10_000,
): Promise<Cost> {
  return rig.measure(async () => {
    const { due } = await rig.server.ask('pour', what)
    return due * READERS
  }, patience)
}
