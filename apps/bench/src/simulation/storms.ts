import { count, grid, rough } from './grid.ts'
import { type Aftermath, type Deploy, type Storm, simulate } from './storm.ts'

/** The storms of one fleet. */
export interface Storms {
  readonly clients: number
  readonly servers: number
  readonly rows: readonly { readonly storm: Storm; readonly aftermath: Aftermath }[]
}

const DEPLOYS: readonly Deploy[] = ['one restarts', 'rolling', 'all at once', 'all killed']

/** Simulates every kind of deploy, with and without jitter. */
export async function simulateStorms(clients: number, servers: number, seed: number): Promise<Storms> {
  const rows = []
  for (const deploy of DEPLOYS) {
    for (const jitter of [true, false]) {
      const storm: Storm = { clients, servers, deploy, jitter, localHistory: true }
      rows.push({ storm, aftermath: await simulate(storm, seed) })
    }
  }
  return { clients, servers, rows }
}

const seconds = (milliseconds: number): string => (milliseconds / 1_000).toFixed(1)

export const storms = ({ rows }: Storms): string =>
  grid(
    [
      'what happens',
      'jitter',
      'attempts/s, peak',
      'attempts',
      'dropped by the kernel',
      'given up',
      'away, median [s]',
      'away, longest [s]',
      'Redis reads',
      'without local history',
    ],
    rows.map(({ aftermath, storm }) => [
      storm.deploy,
      storm.jitter ? 'yes' : 'no',
      count(aftermath.peak),
      count(aftermath.connects),
      count(aftermath.overflows),
      count(aftermath.timedOut),
      seconds(aftermath.away.median),
      seconds(aftermath.away.longest),
      count(aftermath.reads),
      count(aftermath.resumes),
    ]),
  )

/** One server's share of a large hub, all of whose servers are killed. */
const SHARE = { clients: 10_000, servers: 1, deploy: 'all killed', jitter: true } as const

const CROWDS = [
  { streams: 1_000_000, joins: 'one for all', localHistory: true, ownChannels: false },
  { streams: 1_000_000, joins: 'one for all, one of its own', localHistory: true, ownChannels: true },
  { streams: 1_000_000, joins: 'one for all; no local history', localHistory: false, ownChannels: false },
  { streams: 10_000_000, joins: 'one for all, one of its own', localHistory: true, ownChannels: true },
]

/** Simulates the load on one Redis after all servers of a large hub were killed. */
export async function crowds(seed: number): Promise<string> {
  const rows = []
  for (const { joins, streams, ...storm } of CROWDS) {
    const fleets = streams / SHARE.clients
    const aftermath = await simulate({ ...SHARE, ...storm, fleets }, seed)
    rows.push([
      count(streams),
      joins,
      rough(aftermath.reads * fleets),
      count(aftermath.longestRead),
      seconds(aftermath.away.median),
      seconds(aftermath.away.longest),
    ])
  }
  return grid(
    [
      'streams',
      'channels of each',
      'Redis reads',
      'slowest read [ms]',
      'away, median [s]',
      'away, longest [s]',
    ],
    rows,
  )
}
