import type { LoadRequests, Taken } from './load.ts'
import { startWorker, type Worker } from './processes.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import type { Opening } from './rig.ts'
import { Failure } from './rounds.ts'
import type { ServerRequests } from './server.ts'

/** Several servers of a peer with one Redis, and the load that reads from all of them, each in a process of its own. */
export interface Cluster {
  readonly servers: readonly Worker<ServerRequests>[]
  readonly load: Worker<LoadRequests>
  /** Opens this many readers at each server. */
  open(readers: number, options: Opening & { readonly request: string }): Promise<void>
  /** The cost of delivering what an act publishes. @param act - resolves to the number of deliveries that it makes */
  measure(act: () => Promise<number>): Promise<ClusterCost>
  stop(): Promise<void>
}

interface ClusterCost {
  /** CPU microseconds of all servers. */
  readonly servers: number
  /** CPU microseconds of Redis. */
  readonly redis: number
  readonly seconds: number
  readonly taken: Taken
  readonly loadShare: number
}

/** How long to wait for the last delivery, in milliseconds. */
const PATIENCE = 20_000

async function startCluster(peer: string, count: number): Promise<Cluster> {
  const redis: RedisServer = await startRedis()
  const start = (): Worker<ServerRequests> => startWorker(new URL('./server.ts', import.meta.url))
  const servers = Array.from({ length: count }, start)
  const load = startWorker<LoadRequests>(new URL('./load.ts', import.meta.url))
  const stop = async (): Promise<void> => {
    await Promise.all([...servers, load].map((worker) => worker.stop()))
    await redis.stop()
  }
  const greet = (server: Worker<ServerRequests>): Promise<{ port: number }> =>
    server.ask('start', { name: peer, redis: redis.url })
  const started = await Promise.all(servers.map(greet)).catch(async (error) => {
    await stop()
    throw error
  })
  const used = async (): Promise<number> => {
    const usages = await Promise.all(servers.map((server) => server.ask('usage', { tidy: false })))
    return usages.reduce((sum, { cpuMicroseconds }) => sum + cpuMicroseconds, 0)
  }
  return {
    servers,
    load,
    stop,
    async open(readers, options) {
      for (const { port } of started) await load.ask('open', { ...options, port, count: readers })
    },
    async measure(act) {
      const before = { servers: await used(), redis: (await redis.usage()).cpu }
      const { cpuMicroseconds } = await load.ask('taken', undefined)
      const start = performance.now()
      const expected = await act()
      const { deliveries } = await load.ask('await', { deliveries: expected, timeout: PATIENCE })
      const seconds = (performance.now() - start) / 1000
      if (deliveries < expected) throw new Error(`${deliveries} of ${expected} deliveries arrived`)
      const taken = await load.ask('taken', undefined)
      return {
        servers: (await used()) - before.servers,
        redis: (await redis.usage()).cpu - before.redis,
        seconds,
        taken,
        loadShare: (taken.cpuMicroseconds - cpuMicroseconds) / 1e6 / seconds,
      }
    },
  }
}

/** Starts a cluster of each peer, one after the other, and stops them all in the end. */
export async function withClusters<T>(
  peers: Iterable<string>,
  servers: number,
  prepare: (cluster: Cluster, peer: string) => Promise<void>,
  use: (cluster: (peer: string) => Cluster) => Promise<T>,
): Promise<T> {
  const clusters = new Map<string, Cluster>()
  const failures = new Map<string, Failure>()
  try {
    for (const peer of peers) {
      try {
        const cluster = await startCluster(peer, servers)
        clusters.set(peer, cluster)
        await prepare(cluster, peer)
      } catch (error) {
        failures.set(peer, new Failure(error))
      }
    }
    return await use((peer) => {
      const cluster = clusters.get(peer)
      const failure = failures.get(peer)
      if (failure !== undefined || cluster === undefined)
        throw new Error(failure?.reason ?? 'it was not started')
      return cluster
    })
  } finally {
    await Promise.all([...clusters.values()].map((cluster) => cluster.stop()))
  }
}
