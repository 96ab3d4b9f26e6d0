import { withFleet } from '../fleet.ts'
import { chosen, type Plan, progress } from '../plan.ts'
import { measureAll } from '../rig.ts'
import { takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

/** Peers that can tell users apart. */
const PEERS = ['net', 'http', 'tutorial', 'better-sse', 'sse']

const MIXES = [
  { id: 'common', title: '1 to all', common: 1, own: 0 },
  { id: 'own', title: '500 to one user each', common: 0, own: 500 },
  { id: 'both', title: '1 to all and 500 to one user each', common: 1, own: 500 },
]

/** Users who are each on a channel of their own, and on one that they share. */
export async function manyChannels(plan: Plan): Promise<Section[]> {
  const users = plan.quick ? 1_000 : 5_000
  progress(`${users} users on two channels each`)
  const peers = chosen(plan, PEERS, ['net', 'sse'], Math.min(2, plan.rounds))
  const columns = await withFleet(
    peers.keys(),
    async (rig) => {
      await rig.open(users, { users: true, every: 0 })
      // Warms up the compiler.
      const mix = { bytes: 100, common: 1, own: 100, users, turns: 5, within: 500, pause: 50 }
      await measureAll(rig, users, () => rig.server.ask('publish', mix))
    },
    async (fleet) => {
      const columns = []
      for (const { common, id, own, title } of MIXES) {
        progress(`  ${title}`)
        const outcomes = await takeTurns(peers, async (peer) => {
          const rig = fleet.rig(peer)
          const cost = await measureAll(rig, users, () =>
            rig.server.ask('publish', {
              bytes: 100,
              common,
              own,
              users,
              turns: Number.MAX_SAFE_INTEGER,
              within: 500,
              pause: (common * users + own) / 50,
            }),
          )
          return { cpu: cost.cpu / cost.deliveries }
        })
        columns.push(column(`channels.${id}`, `${title}, per turn`, 'µs', outcomes, 'cpu'))
      }
      return columns
    },
  )
  return [
    {
      title: 'Many channels',
      about: `${users.toLocaleString('en')} users, each on a channel of their own and on one that all share; server CPU per delivery of 100 B.`,
      baseline: 'net',
      columns,
    },
  ]
}
