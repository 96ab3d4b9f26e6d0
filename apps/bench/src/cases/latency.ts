import { withFleet, withRig } from '../fleet.ts'
import { chosen, latencySeconds, moreRounds, type Plan, progress } from '../plan.ts'
import { type Cost, measureAll, type Rig } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { column, loadRemarks, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'fastify', 'nchan', 'sse']
const READERS = 1_000
const RATE = 1_000
/** Late events are still counted for so many milliseconds. */
const GRACE = 500
/** For how long the server publishes before it counts, in milliseconds. */
const WARMING = 1_000

/** How late events are, published by the clock: gently, and at a rate that overloads most. */
export async function latency(plan: Plan): Promise<Section[]> {
  return [await gentle(plan), await overload(plan)]
}

async function gentle(plan: Plan): Promise<Section> {
  progress('latency at 20 events/s')
  // Few events are its p99, and something else holds one up now and then.
  const peers = chosen(plan, PEERS, ['net', 'nchan', 'sse'], moreRounds(plan))
  const seconds = latencySeconds(plan)
  const outcomes = await withFleet(
    peers.keys(),
    async (rig) => {
      await rig.open(READERS)
      // For the compiler.
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
    about: '1 KiB, from the time at which an event was due to the time at which the load has read it.',
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
    about: `100 B for ${seconds} s, at a server that was busy before. The publisher does not wait for a server that is slow, and an event is late from when it was due. What has not arrived half a second after the end is not counted.`,
    baseline: 'net',
    columns: [
      column(`open-loop.${RATE}.rate`, `${at}: deliveries/s`, '/s', outcomes, 'rate'),
      column(`open-loop.${RATE}.p50`, `${at}: p50`, 'ms', outcomes, 'p50'),
      column(`open-loop.${RATE}.p99`, `${at}: p99`, 'ms', outcomes, 'p99'),
      column(`open-loop.${RATE}.cpu`, `${at}: CPU a delivery`, 'µs', outcomes, 'cpu'),
    ],
    remarks: loadRemarks(at, outcomes),
  }
}

/** For the compiler, which has most to do with whom the most code runs: one event in a hundred late by it is the p99. */
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
