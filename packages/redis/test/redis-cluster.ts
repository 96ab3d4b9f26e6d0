import { freePort, RedisServer } from '@sse/test-redis'
import { createCluster } from 'redis'
import { inSync, until } from './cluster.ts'

const RANGES = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, 16_383],
] as const

/** A cluster of three nodes, each with a third of the slots, and a replica of the node that holds the hub. */
export class RedisCluster {
  readonly #nodes: readonly RedisServer[]
  readonly replica: RedisServer
  /** The node that holds the hub at first. */
  readonly home: RedisServer
  /** The slot of the hub. */
  readonly slot: number

  private constructor(nodes: readonly RedisServer[], replica: RedisServer, home: RedisServer, slot: number) {
    this.#nodes = nodes
    this.replica = replica
    this.home = home
    this.slot = slot
  }

  /** @param prefix - of the hub */
  static async start(prefix = 'sse'): Promise<RedisCluster> {
    const servers = await Promise.all([0, 1, 2, 3].map(() => startNode()))
    const nodes = servers.slice(0, 3)
    const [first, , , replica] = servers
    if (first === undefined || replica === undefined) throw new Error('four were started')
    const slot = Number(await first.command('CLUSTER', 'KEYSLOT', `{${prefix}}:meta`))
    const home = nodes[RANGES.findIndex(([, to]) => slot <= to)] ?? first
    for (const [index, node] of nodes.entries()) {
      await node.command('CLUSTER', 'ADDSLOTSRANGE', ...(RANGES[index] ?? []).map(String))
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    }
    for (const node of servers) {
      for (const other of servers) {
        if (other === node) continue
        const bus = String(await other.command('CONFIG', 'GET', 'cluster-port').then(settingOf))
        await node.command('CLUSTER', 'MEET', '127.0.0.1', String(other.port), bus)
      }
    }
    const cluster = new RedisCluster(nodes, replica, home, slot)
    const homeId = await idOf(home)
    await until(async () => String(await replica.command('CLUSTER', 'NODES')).includes(homeId))
    await replica.command('CLUSTER', 'REPLICATE', homeId)
    await until(() => cluster.isWhole(servers))
    await until(async () => /master_link_status:up/.test(await infoOf(replica)))
    return cluster
  }

  /** The nodes that hold slots at first. */
  get nodes(): readonly RedisServer[] {
    return this.#nodes
  }

  /** A client that is led to the node of each key, connected. */
  async connect() {
    const cluster = createCluster({
      rootNodes: this.#nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
      defaults: { socket: { reconnectStrategy: 20 } },
      topologyRefreshOnReconnectionAttemptStrategy: 100,
    })
    await cluster.on('error', () => {}).connect()
    return cluster
  }

  /** Whether some nodes know of all slots, and of all nodes. */
  async isWhole(servers: readonly RedisServer[]): Promise<boolean> {
    for (const server of servers) {
      const info = String(await server.command('CLUSTER', 'INFO'))
      if (!/cluster_state:ok/.test(info) || !/cluster_known_nodes:4/.test(info)) return false
    }
    return true
  }

  /** Resolves when the replica has all that its node has. */
  inSync(): Promise<void> {
    return inSync(this.home, this.replica)
  }

  /** Begins to move the slot of the hub to another node. From then on its own has what it has, and refuses the rest. */
  async beginToMove(target: RedisServer): Promise<void> {
    const slot = String(this.slot)
    await target.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(this.home))
    await this.home.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(target))
  }

  /** Moves keys of the slot, and returns how many. */
  async move(target: RedisServer, pattern = /^/): Promise<number> {
    const found = await this.home.command('CLUSTER', 'GETKEYSINSLOT', String(this.slot), '1000')
    const keys = Array.isArray(found) ? found.map(String).filter((key) => pattern.test(key)) : []
    const to = ['127.0.0.1', String(target.port), '', '0', '5000']
    if (keys.length > 0) await this.home.command('MIGRATE', ...to, 'KEYS', ...keys)
    return keys.length
  }

  /** Moves the keys, and with them the slot. */
  async endMove(target: RedisServer): Promise<void> {
    while ((await this.move(target)) > 0);
    const slot = String(this.slot)
    const id = await idOf(target)
    for (const node of [target, this.home]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', id)
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#nodes, this.replica].map((server) => server.remove()))
  }
}

const idOf = async (server: RedisServer): Promise<string> => String(await server.command('CLUSTER', 'MYID'))

async function startNode(): Promise<RedisServer> {
  const bus = String(await freePort())
  const timing = ['--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0']
  return RedisServer.start('--cluster-enabled', 'yes', '--cluster-port', bus, ...timing)
}

const infoOf = async (server: RedisServer): Promise<string> =>
  String(await server.command('INFO', 'replication').catch(() => ''))

/** The value of a reply to `CONFIG GET`. */
const settingOf = (reply: unknown): unknown => {
  if (Array.isArray(reply)) return reply[1]
  return reply instanceof Object ? Object.values(reply)[0] : undefined
}
