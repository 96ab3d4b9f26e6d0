import { withRig } from '../fleet.ts'
import { chosen, latencySeconds, type Plan, progress } from '../plan.ts'
import { measureAll, type Rig } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'better-sse', 'fastify', 'nchan', 'sse']
const READERS = 200
const STALLED = 2
/** One and a half times what the kernel buffers for a reader that does not read, about 4 MB. */
const FILL = { bytes: 64 * 1024, turns: 96, batch: 16 }
const RATE = 100

/** What readers that have stopped reading cost the server, and the other readers. */
export async function stalled(plan: Plan): Promise<Section[]> {
  progress('1 % of the readers stalled')
  const peers = chosen(plan, PEERS, ['net', 'sse'])
  const seconds = latencySeconds(plan)
  const outcomes = await takeTurns(peers, (peer) =>
    withRig(peer, async (rig) => {
      await rig.open(READERS - STALLED)
      // Warms up: lets everything grow that grows once anyway.
      await fill(rig)
      await pour(rig, 0.5)
      const without = await run(rig, seconds)
      await rig.open(STALLED, { stalled: true })
      const within = await run(rig, seconds)
      return {
        kept: (within.held - without.held) / 1e6 / STALLED,
        grown: within.grown / 1e6,
        more: (within.grown - without.grown) / 1e6,
        p99: within.p99,
        slower: within.p99 / without.p99,
      }
    }),
  )
  return [
    {
      title: '1 % of the readers stalled',
      about: `${FILL.turns} events of 64 KiB, one and a half times what the kernel buffers for a reader that does not read, then ${RATE * seconds} events of 1 KiB at ${RATE}/s, whose latency is measured: once to ${READERS - STALLED} readers, and once more with ${STALLED} others that have stopped reading. Kept: how much more the heap and buffers of the server (of nchan: its resident memory) grew the second time.`,
      baseline: 'net',
      columns: [
        column('stalled.kept', 'kept per stalled reader', 'MB', outcomes, 'kept'),
        column('stalled.grown', 'RSS growth', 'MB', outcomes, 'grown'),
        column('stalled.more', 'RSS growth beyond that with none stalled', 'MB', outcomes, 'more'),
        column('stalled.p99', 'p99 of the other readers', 'ms', outcomes, 'p99'),
        column('stalled.slower', 'p99 / p99 with none stalled', '×', outcomes, 'slower'),
      ],
    },
  ]
}

interface Run {
  readonly held: number
  readonly grown: number
  readonly p99: number
}

async function run(rig: Rig, seconds: number): Promise<Run> {
  const before = await rig.usage()
  for (let turn = 0; turn < FILL.turns; turn += FILL.batch) await fill(rig)
  const { p99 } = await pour(rig, seconds)
  const { held, rss } = await rig.usage()
  return { held: held - before.held, grown: rss - before.rss, p99 }
}

/** Publishes a batch, and waits until the other readers have read it, so that they do not fall behind. */
async function fill(rig: Rig): Promise<void> {
  await measureAll(rig, READERS - STALLED, () =>
    rig.server.ask('publish', {
      bytes: FILL.bytes,
      common: 1,
      turns: FILL.batch,
      within: 60_000,
      pause: 5,
    }),
  )
}

/** How late events are for those who read, in milliseconds. */
async function pour(rig: Rig, seconds: number): Promise<{ p99: number }> {
  const { taken } = await rig.measure(async () => {
    const { common } = await rig.server.ask('pour', { bytes: 1024, rate: RATE, seconds })
    return common * (READERS - STALLED)
  })
  return { p99: taken.p99 }
}
