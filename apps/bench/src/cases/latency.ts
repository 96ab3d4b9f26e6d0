import { withFleet, withRig } from '../fleet.ts'
import { chosen, latencySeconds, type Plan, progress } from '../plan.ts'
import type { Cost, Rig } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { type Column, column, loadRemarks, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'fastify', 'nchan', 'sse']
const READERS = 1_000
const RATES = [300, 1_000]
/** Late events are still counted for so many milliseconds. */
const GRACE = 500

/** How late events are, published by the clock: gently, and at rates that overload a peer. */
export async function latency(plan: Plan): Promise<Section[]> {
  return [await gentle(plan), await overload(plan)]
}

async function gentle(plan: Plan): Promise<Section> {
  progress('latency at 20 events/s')
  const peers = chosen(plan, PEERS, ['net', 'nchan', 'sse'])
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
  const columns: Column[] = []
  const remarks: string[] = []
  let peers = PEERS
  const seconds = plan.quick ? 1 : 2
  for (const rate of plan.quick ? RATES.slice(-1) : RATES) {
    progress(`open loop, ${rate} events/s`)
    // The lower rate only tells who is asked for the higher one.
    const rounds = rate === Math.max(...RATES) ? Math.min(2, plan.rounds) : 1
    const outcomes = await takeTurns(chosen(plan, peers, ['net', 'sse'], rounds), (peer) =>
      withRig(peer, async (rig) => {
        await rig.open(READERS, { every: 20 })
        await pour(rig, { bytes: 100, rate: 20, seconds: 0.5 })
        const cost = await pour(rig, { bytes: 100, rate, seconds }, GRACE)
        return {
          rate: cost.deliveries / cost.seconds,
          share: cost.deliveries / cost.expected,
          p50: cost.taken.p50,
          p99: cost.taken.p99,
          cpu: cost.cpu / cost.deliveries,
          loadShare: cost.loadShare,
        }
      }),
    )
    const at = `${rate.toLocaleString('en')} events/s`
    columns.push(
      column(`open-loop.${rate}.rate`, `${at}: deliveries/s`, '/s', outcomes, 'rate'),
      column(`open-loop.${rate}.p50`, `${at}: p50`, 'ms', outcomes, 'p50'),
      column(`open-loop.${rate}.p99`, `${at}: p99`, 'ms', outcomes, 'p99'),
      column(`open-loop.${rate}.cpu`, `${at}: CPU a delivery`, 'µs', outcomes, 'cpu'),
    )
    remarks.push(...loadRemarks(at, outcomes))
    // Who can't keep up is not asked for more.
    peers = peers.filter((peer) => {
      const outcome = outcomes.get(peer)
      return outcome !== undefined && 'share' in outcome && outcome.share > 0.95
    })
  }
  return {
    title: 'Open loop: events by the clock to 1,000 readers',
    about: `100 B for ${seconds} s. The publisher does not wait for a server that is slow, and an event is late from when it was due. What has not arrived half a second after the end is not counted, and a peer that delivered less than 95 % is not asked for more.`,
    baseline: 'net',
    columns,
    remarks,
  }
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
