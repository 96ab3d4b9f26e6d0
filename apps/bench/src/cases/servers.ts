import { type Cluster, withClusters } from '../cluster.ts'
import { chosen, latencySeconds, moreRounds, type Plan, progress } from '../plan.ts'
import { once, takeTurns } from '../rounds.ts'
import { column, loadRemarks, type Section } from '../section.ts'

const PEERS = ['pubsub', 'socket-io', 'sse-redis']
const SERVERS = 3
/** Readers at each server for the latency. For the throughput there is one, since it is not about the cost of a delivery. */
const READERS = 50
/** Events a second of each server. */
const RATE = 60
/** Seconds of these that are not counted: after them, most code is compiled. */
const WARMING = 2
/** Events that each server publishes back to back, in all and in one turn. */
const FLOOD = 4_000
const TURN = 100

const STREAM = 'GET /events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n'
const SOCKET = [
  'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
  'Host: bench',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n')
/** "40", which joins the namespace, as a WebSocket frame. */
const CONNECT = '\x81\x82\0\0\0\x0040'

/** Three servers and one Redis: events published at any server go to the readers of all. */
export async function servers(plan: Plan): Promise<Section[]> {
  progress('three servers')
  const peers = chosen(plan, PEERS, ['pubsub', 'sse-redis'], moreRounds(plan))
  const seconds = latencySeconds(plan)
  const { latency, throughput } = await withClusters(
    peers.keys(),
    SERVERS,
    (cluster, peer) => open(cluster, peer, READERS),
    async (cluster) => {
      const latency = await takeTurns(peers, (peer) => pour(cluster(peer), READERS, seconds))
      await takeTurns(once(peers.keys()), async (peer) => {
        await cluster(peer).load.ask('leave', undefined)
        await open(cluster(peer), peer, 1)
        return {}
      })
      const throughput = await takeTurns(peers, (peer) => flood(cluster(peer)))
      return { latency, throughput }
    },
  )
  return [
    {
      title: 'Several servers',
      about: `${SERVERS} servers with one Redis; events of 100 B. Latency: each server publishes ${RATE} events/s by the clock, with ${READERS} readers at each server; the time from when an event was due until the load has read it. Throughput: each server publishes ${FLOOD.toLocaleString('en')} events back to back, with one reader at each server, until all have arrived; CPU per event of all servers together, and of Redis. \`pubsub\` stores nothing, so its readers cannot resume; socket.io, over WebSocket, stores events for clients that reconnect; ours stores them, and gives them one order on all servers.`,
      baseline: 'pubsub',
      columns: [
        column('servers.p50', 'p50', 'ms', latency, 'p50'),
        column('servers.p99', 'p99', 'ms', latency, 'p99'),
        column('servers.rate', 'publishes/s', '/s', throughput, 'rate'),
        column('servers.cpu', 'CPU of the servers per publish', 'µs', throughput, 'servers'),
        column('servers.redis', 'CPU of Redis per publish', 'µs', throughput, 'redis'),
      ],
      remarks: loadRemarks('latency', latency),
    },
  ]
}

async function open(cluster: Cluster, peer: string, readers: number): Promise<void> {
  const sockets = peer === 'socket-io'
  await cluster.open(readers, { request: sockets ? SOCKET : STREAM })
  if (sockets) await cluster.load.ask('say', { text: CONNECT })
  // A server may not be subscribed yet when its readers are connected: publishes at each server until an event reaches everybody.
  for (const server of cluster.servers) await reach(cluster, server, SERVERS * readers)
  // Warms up the compiler.
  await pour(cluster, readers, WARMING)
}

async function reach(cluster: Cluster, server: Cluster['servers'][number], readers: number): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    await server.ask('publish', { bytes: 100, common: 1, turns: 1, within: 0, pause: 0 })
    const { deliveries } = await cluster.load.ask('await', { deliveries: readers, timeout: 500 })
    if (deliveries === readers) return
  }
  throw new Error('not everybody was reached')
}

async function pour(
  cluster: Cluster,
  readers: number,
  seconds: number,
): Promise<{ p50: number; p99: number; loadShare: number }> {
  const { loadShare, taken } = await cluster.measure(async () => {
    const poured = await Promise.all(
      cluster.servers.map((server) => server.ask('pour', { bytes: 100, rate: RATE, seconds })),
    )
    return poured.reduce((sum, { common }) => sum + common, 0) * SERVERS * readers
  })
  return { p50: taken.p50, p99: taken.p99, loadShare }
}

async function flood(cluster: Cluster): Promise<{ rate: number; servers: number; redis: number }> {
  const published = SERVERS * FLOOD
  const { redis, seconds, servers } = await cluster.measure(async () => {
    const turns = { bytes: 100, common: TURN, turns: FLOOD / TURN, within: 60_000, pause: 0 }
    await Promise.all(cluster.servers.map((server) => server.ask('publish', turns)))
    return published * SERVERS
  })
  return { rate: published / seconds, servers: servers / published, redis: redis / published }
}
