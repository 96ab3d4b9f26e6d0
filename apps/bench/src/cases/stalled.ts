import { withRig } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import { measureAll } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const PEERS = ['net', 'http', 'better-sse', 'fastify', 'nchan', 'sse']
const READERS = 500
const STALLED = 5
/** What fills the buffers of the kernel for a reader that does not read, about 4 MB, and half as much again. */
const FILL = { bytes: 64 * 1024, turns: 96, batch: 16 }

interface Run {
  readonly held: number
  readonly grown: number
  readonly p99: number
}

/** What readers who stopped reading cost the server, and the others. */
export async function stalled(plan: Plan): Promise<Section[]> {
  progress('1 % of the readers stalled')
  const peers = chosen(plan, PEERS, ['net', 'sse'])
  const outcomes = await takeTurns(peers, 1, async (peer) => {
    const without = await run(peer, 0, plan)
    const within = await run(peer, STALLED, plan)
    return {
      kept: (within.held - without.held) / 1e6 / STALLED,
      grown: within.grown / 1e6,
      more: (within.grown - without.grown) / 1e6,
      p99: within.p99,
      slower: within.p99 / without.p99,
    }
  })
  return [
    {
      title: '1 % of the readers stalled',
      about: `${READERS} readers, ${STALLED} of whom stop reading; ${FILL.turns} events of 64 KiB fill the buffers of the kernel and half as much again; then the latency of the others at 20 events/s of 1 KiB. Kept: what the server holds in its heap and buffers beyond a run with nobody stalled.`,
      baseline: 'net',
      columns: [
        column('stalled.kept', 'kept for each stalled', 'MB', outcomes, 'kept'),
        column('stalled.grown', 'growth of RSS', 'MB', outcomes, 'grown'),
        column('stalled.more', 'more than with none stalled', 'MB', outcomes, 'more'),
        column('stalled.p99', 'p99 of the others', 'ms', outcomes, 'p99'),
        column('stalled.slower', 'p99 to that of none stalled', '×', outcomes, 'slower'),
      ],
    },
  ]
}

function run(peer: string, stalled: number, { quick }: Plan): Promise<Run> {
  return withRig(peer, async (rig) => {
    await rig.open(READERS, { stalled })
    const reading = READERS - stalled
    // Batch by batch, each when the others have read the last: they are none of the slow.
    const fill = (): Promise<unknown> =>
      measureAll(rig, reading, () =>
        rig.server.ask('publish', {
          bytes: FILL.bytes,
          common: 1,
          turns: FILL.batch,
          within: 60_000,
          pause: 5,
        }),
      )
    // Grows what grows once in any case.
    await fill()
    const before = await rig.usage()
    for (let turn = 0; turn < FILL.turns; turn += FILL.batch) await fill()
    const { taken } = await rig.measure(async () => {
      const { common } = await rig.server.ask('pour', { bytes: 1024, rate: 20, seconds: quick ? 1 : 3 })
      return common * reading
    })
    const { held, rss } = await rig.usage()
    return { held: held - before.held, grown: rss - before.rss, p99: taken.p99 }
  })
}
