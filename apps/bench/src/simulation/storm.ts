import { chance } from './chance.ts'
import { type ClientEvents, startClient } from './client.ts'
import { COSTS, type Costs, START, WITHIN } from './costs.ts'
import { SimulatedRedis } from './redis.ts'
import { SimulatedServer } from './server.ts'
import { Timeline } from './timeline.ts'

/** What happens to the servers. */
export type Deploy = 'one restarts' | 'rolling' | 'all at once' | 'all killed'

export interface Storm {
  readonly clients: number
  readonly servers: number
  readonly deploy: Deploy
  /** Whether the streams of a server end spread over a window, and clients reconnect at random times. */
  readonly jitter: boolean
  /** Whether servers answer from local copies of their channels; otherwise each returning reader causes a read. */
  readonly localHistory: boolean
  /** Whether each client has a channel of its own, besides the one for all. @defaultValue `false` */
  readonly ownChannels?: boolean
  /** How many fleets like this one, to which the same happens, share the Redis. @defaultValue 1 */
  readonly fleets?: number
  readonly costs?: Costs
}

export interface Aftermath {
  /** Attempts of clients: their number, and their rate per second in every tenth of a second since the beginning. */
  readonly connects: number
  readonly attempts: readonly number[]
  /** The highest of these rates. */
  readonly peak: number
  /** Attempts that were refused, and attempts that the client gave up since nobody answered. */
  readonly refused: number
  readonly timedOut: number
  /** How often the kernel of a server dropped an attempt, which the kernel of the client then repeats. */
  readonly overflows: number
  /** Readers that reached a server with their cursor. */
  readonly resumes: number
  /** How long clients were without a stream, in milliseconds: the median, the 99th percentile, the longest. */
  readonly away: { readonly median: number; readonly p99: number; readonly longest: number }
  /** How many times a client was back, up to the end of every tenth of a second. */
  readonly returns: readonly number[]
  /** Clients that were not back in the end. */
  readonly missing: number
  /** Calls to Redis, and the longest that one took, in milliseconds. */
  readonly reads: number
  readonly longestRead: number
}

/** When the deploy begins, in milliseconds: by then every stream has proved stable. */
const BEGIN = 60_000
/** How long a deploy is simulated at most, in milliseconds. */
const PATIENCE = 1_800_000
const BIN = 100

/** Simulates what a deploy does to the clients, the servers and Redis. The same seed gives the same figures. */
export async function simulate(storm: Storm, seed: number): Promise<Aftermath> {
  const { clients, costs = COSTS, fleets = 1, jitter, localHistory, ownChannels = false } = storm
  const timeline = new Timeline()
  const random = chance(seed)
  const redis = new SimulatedRedis(timeline, costs, fleets)
  const create = (): SimulatedServer =>
    new SimulatedServer({ timeline, redis, costs, random, jitter, localHistory })
  const servers = Array.from({ length: storm.servers }, create)

  let missing = 0
  let connects = 0
  let refused = 0
  let timedOut = 0
  const away: number[] = []
  const attempts: number[] = []
  const returns: number[] = []
  const bin = (): number => Math.max(0, Math.floor((timeline.now - BEGIN) / BIN))
  const heard: ClientEvents = {
    connects() {
      connects += 1
      add(attempts, bin(), 1_000 / BIN)
    },
    refused() {
      refused += 1
    },
    timedOut() {
      timedOut += 1
    },
    back(milliseconds) {
      away.push(milliseconds)
      missing -= 1
      add(returns, bin(), 1)
    },
    lost() {
      missing += 1
    },
  }
  // Without stickiness: any server that accepts readers.
  const pick = (): SimulatedServer | undefined => {
    const taking = servers.filter(({ takes }) => takes)
    return taking[Math.floor(random() * taking.length)]
  }
  for (let client = 0; client < clients; client++) {
    const home = pick()
    if (home === undefined) throw new Error('A storm needs a server.')
    const channels = ownChannels ? ['news', `user:${client}`] : ['news']
    startClient({ timeline, channels, random: jitter ? random : () => 1, route: pick, home, heard })
  }
  timeline.after(BEGIN, () => begin(storm, timeline, servers, create))
  await timeline.run(BEGIN + PATIENCE)
  away.sort((a, b) => a - b)
  const at = (share: number): number => away[Math.min(away.length - 1, Math.floor(away.length * share))] ?? 0
  return {
    connects,
    attempts,
    peak: attempts.reduce((peak, rate) => Math.max(peak, rate), 0),
    refused,
    timedOut,
    overflows: servers.reduce((sum, server) => sum + server.overflows, 0),
    resumes: servers.reduce((sum, server) => sum + server.resumes, 0),
    away: { median: at(0.5), p99: at(0.99), longest: at(1) },
    returns: summed(returns),
    missing,
    reads: redis.reads,
    longestRead: redis.longest,
  }
}

/** Adds to a place of a list, which grows with zeros up to there. */
function add(list: number[], index: number, amount: number): void {
  while (list.length <= index) list.push(0)
  list[index] = (list[index] ?? 0) + amount
}

function summed(list: readonly number[]): number[] {
  let sum = 0
  return list.map((amount) => {
    sum += amount
    return sum
  })
}

function begin(
  { deploy, jitter }: Storm,
  timeline: Timeline,
  servers: SimulatedServer[],
  create: () => SimulatedServer,
): void {
  const within = jitter ? WITHIN : 0
  const restart = (server: SimulatedServer, next: () => void): void => {
    server.close(within)
    timeline.after(WITHIN + START, () => {
      server.start()
      next()
    })
  }
  const restartFrom = (index: number): void => {
    const server = servers[index]
    if (server !== undefined) restart(server, () => restartFrom(index + 1))
  }
  const before = [...servers]
  switch (deploy) {
    case 'one restarts':
      for (const server of before.slice(0, 1)) restart(server, () => {})
      break
    case 'rolling':
      restartFrom(0)
      break
    case 'all at once':
      // The new servers accept readers before the old ones disconnect theirs.
      servers.push(...before.map(create))
      for (const server of before) server.close(within)
      break
    case 'all killed':
      for (const server of before) server.kill()
      timeline.after(START, () => {
        for (const server of before) server.start()
      })
  }
}
