import { withFleet } from '../fleet.ts'
import { chosen, moreRounds, type Plan, progress } from '../plan.ts'
import { measureAll, type Rig } from '../rig.ts'
import { type Rounds, takeTurns } from '../rounds.ts'
import { type Column, column, loadRemarks, type Section } from '../section.ts'

const PEERS = [
  'net',
  'http',
  'tutorial',
  'better-sse',
  'better-sse-batch',
  'express-sse',
  'fastify',
  'hono',
  'nchan',
  'sse',
]
/** Ours, and whom our targets name. */
const NAMED = ['net', 'better-sse', 'better-sse-batch', 'nchan', 'sse']
/** Those that would take minutes to say at 5,000 readers, and at 100, what they say at 1,000. */
const SLOW = ['tutorial', 'better-sse-batch', 'express-sse', 'hono']

interface Rhythm {
  readonly id: string
  readonly title: string
  readonly perTurn: number
  readonly backToBack: boolean
}

const RHYTHMS: readonly Rhythm[] = [
  { id: '1', title: '1 a turn', perTurn: 1, backToBack: true },
  { id: '10', title: '10 a turn', perTurn: 10, backToBack: true },
  { id: 'paused.1', title: '1 a turn', perTurn: 1, backToBack: false },
  { id: 'paused.10', title: '10 a turn', perTurn: 10, backToBack: false },
]

const FLOOD = {
  title: 'turns back to back',
  about:
    'CPU microseconds of the server for each delivery: one or ten events in a turn of the event loop, and the next turn at once, in bursts of which each begins when the one before has arrived. So much shows what a server has to give, and is what our targets are judged by.',
}
// net to 1,000 readers took 3.0 µs without a pause, 3.6 with 5 ms, 4.7 with 20 and 6.3 with 50; a load kept awake changed nothing.
const PAUSED = {
  title: 'with pauses',
  about:
    'The same, and after each turn the server sleeps, about as long as the slower peers work. Then a write costs everybody more, and the more the longer the sleep is: caches, and what the kernel holds of a connection, have gone cold. That share is the same for all, so the peers stand closer together than back to back.',
}
const MERGED =
  '@sse/express does not keep a publisher waiting while it passes over many readers: what falls due meanwhile goes out in one write with the next event. `net` as written here passes over all of them for each turn. So its ratio back to back is that of fewer writes; what an event costs that is written by itself stands in the table with pauses.'

/** How long a measurement publishes, in milliseconds. */
const WITHIN = 300
/**
 * Turns back to back come in bursts, each when the one before has arrived. What one brings a reader, in bytes of data, the
 * buffers of the kernel hold for a load that lags behind: else its search for room would be what is measured.
 */
const BURST = 25_000
/** And what one brings all readers, in events that are written by themselves. */
const WRITES = 150_000
/** And in deliveries, for those who write each event by itself in any case. */
const DELIVERIES = 400_000

/** One event to many readers: what a delivery costs the server. */
export async function fanOut(plan: Plan): Promise<Section[]> {
  const sections: Section[] = []
  for (const readers of plan.quick ? [1_000] : [100, 1_000, 5_000]) {
    progress(`fan-out to ${readers} readers`)
    const able = readers === 1_000 ? PEERS : PEERS.filter((peer) => !SLOW.includes(peer))
    // Most is judged by the middle one, and by a few hundredths.
    const rounds = readers === 1_000 ? moreRounds(plan) : Math.min(2, plan.rounds)
    sections.push(...(await fanOutTo(readers, chosen(plan, able, NAMED, rounds), plan)))
  }
  return sections
}

async function fanOutTo(readers: number, peers: Rounds, plan: Plan): Promise<Section[]> {
  const flood: { columns: Column[]; remarks: string[] } = { columns: [], remarks: [] }
  const paused: typeof flood = { columns: [], remarks: [] }
  await withFleet(
    peers.keys(),
    async (rig) => {
      await rig.open(readers, { every: 0 })
      // For the compiler.
      for (const rhythm of RHYTHMS.slice(0, 2)) await deliver(rig, readers, 100, rhythm)
    },
    async (fleet) => {
      for (const bytes of plan.quick ? [100] : [100, 1024]) {
        for (const rhythm of RHYTHMS) {
          // Away from the middle, the larger events and pauses tell the same of many in a turn as of one.
          const unusual = (bytes > 100 ? 1 : 0) + (rhythm.backToBack ? 0 : 1) + (rhythm.perTurn > 1 ? 1 : 0)
          if (unusual > (readers === 1_000 ? 2 : 1)) continue
          const { columns, remarks } = rhythm.backToBack ? flood : paused
          const title = `${bytes === 100 ? '100 B' : '1 KiB'}, ${rhythm.title}`
          progress(`  ${title}${rhythm.backToBack ? ', back to back' : ''}`)
          const outcomes = await takeTurns(peers, (peer) => deliver(fleet.rig(peer), readers, bytes, rhythm))
          const id = `fan-out.${readers}.${bytes}.${rhythm.id}`
          columns.push(column(`${id}.cpu`, title, 'µs', outcomes, 'cpu'))
          if (!rhythm.backToBack) continue
          columns.push(column(`${id}.rate`, `${title}: deliveries/s`, '/s', outcomes, 'rate'))
          remarks.push(...loadRemarks(title, outcomes))
        }
      }
    },
  )
  if (readers >= 1_000) flood.remarks.unshift(MERGED)
  const to = `Fan-out to ${readers.toLocaleString('en')} readers`
  return [
    { ...flood, title: `${to}, ${FLOOD.title}`, about: FLOOD.about, baseline: 'net' },
    { ...paused, title: `${to}, ${PAUSED.title}`, about: PAUSED.about, baseline: 'net' },
  ]
}

async function deliver(
  rig: Rig,
  readers: number,
  bytes: number,
  { backToBack, perTurn }: Rhythm,
): Promise<{ cpu: number; rate: number; loadShare: number }> {
  // Ten events in one write take about three times as long as one.
  const effort = Math.sqrt(perTurn)
  const turns = Math.ceil(
    Math.min(BURST / (bytes * perTurn), (WRITES * effort) / readers, DELIVERIES / (readers * perTurn)),
  )
  // About twice what a turn takes, so that no turn meets the one before.
  const pause = Math.ceil((readers * 20 * effort) / 1000)
  const cost = await measureAll(
    rig,
    readers,
    () =>
      rig.server.ask('publish', {
        bytes,
        common: perTurn,
        turns: backToBack ? turns : Number.MAX_SAFE_INTEGER,
        within: WITHIN,
        pause: backToBack ? 0 : pause,
      }),
    WITHIN,
  )
  return {
    cpu: cost.cpu / cost.deliveries,
    rate: cost.deliveries / cost.seconds,
    loadShare: cost.loadShare,
  }
}
