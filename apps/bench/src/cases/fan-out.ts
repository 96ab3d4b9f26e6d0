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
/** Ours, and the peers that our targets name. */
const NAMED = ['net', 'better-sse', 'better-sse-batch', 'nchan', 'sse']
/** Peers measured with 1,000 readers only: with 100 and 5,000 they would take minutes to show the same. */
const SLOW = ['tutorial', 'better-sse-batch', 'express-sse', 'hono']

interface Rhythm {
  readonly id: string
  readonly title: string
  readonly perTurn: number
  readonly backToBack: boolean
}

const RHYTHMS: readonly Rhythm[] = [
  { id: '1', title: '1 per turn', perTurn: 1, backToBack: true },
  { id: '10', title: '10 per turn', perTurn: 10, backToBack: true },
  { id: 'paused.1', title: '1 per turn', perTurn: 1, backToBack: false },
  { id: 'paused.10', title: '10 per turn', perTurn: 10, backToBack: false },
]

const FLOOD = {
  title: 'turns back to back',
  about:
    'Server CPU per delivery: one or ten events are published in each turn of the event loop, without a pause between turns, in bursts that each begin when the one before has arrived everywhere. This shows what a server can do at most.',
}
// On one machine, net to 1,000 readers took 3.0 µs without a pause, 3.6 with 5 ms, 4.7 with 20 and 6.3 with 50; keeping the load awake
// changed nothing. On another, whose kernel takes longer to send, the pause made no difference.
const PAUSED = {
  title: 'with pauses',
  about:
    'The same, but the server sleeps after each turn: 20 µs per reader, and three times as long after ten events. So servers that merge events into fewer writes cannot do so across turns. On some machines a write also costs every peer more after a sleep, since CPU caches have gone cold, and what the kernel keeps for a connection with them; this brings the peers closer together.',
}
const MERGED =
  '@sse/express does not keep the publisher waiting during a pass over many readers: events published meanwhile go out in one write with the next. `net`, as written here, writes to every reader in every turn. So the ratio of @sse/express back to back comes from fewer writes; the table with pauses shows what an event costs that is written by itself.'

/** How long a measurement goes on publishing, in milliseconds. */
const WITHIN = 300
/**
 * Turns back to back come in bursts, each after the one before has arrived. The bytes of data that a burst brings a reader fit
 * into the kernel's buffers, in case the load lags behind: otherwise the kernel's search for room would be measured.
 */
const BURST = 25_000
/** The limit of a burst in writes to all readers; a turn of ten events counts as √10. */
const WRITES = 150_000
/** The limit of a burst in deliveries to all readers, for peers that write every event by itself. */
const DELIVERIES = 400_000

/** One event to many readers: what a delivery costs the server. */
export async function fanOut(plan: Plan): Promise<Section[]> {
  const sections: Section[] = []
  for (const readers of plan.quick ? [1_000] : [100, 1_000, 5_000]) {
    progress(`fan-out to ${readers} readers`)
    const able = readers === 1_000 ? PEERS : PEERS.filter((peer) => !SLOW.includes(peer))
    // Most targets are about 1,000 readers, and a few hundredths can decide them.
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
      // Warms up the compiler.
      for (const rhythm of RHYTHMS.slice(0, 2)) await deliver(rig, readers, 100, rhythm)
    },
    async (fleet) => {
      for (const bytes of plan.quick ? [100] : [100, 1024]) {
        for (const rhythm of RHYTHMS) {
          // Combinations of larger events, pauses and many events per turn tell little new, least with 100 and 5,000 readers.
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
  // Over all peers, a turn of ten events takes about three times as long as a turn of one.
  const effort = Math.sqrt(perTurn)
  const turns = Math.ceil(
    Math.min(BURST / (bytes * perTurn), (WRITES * effort) / readers, DELIVERIES / (readers * perTurn)),
  )
  // About twice what a turn takes the fastest peers, which write after `publish` returns, so that none of their turns overlap.
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
