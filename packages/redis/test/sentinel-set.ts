import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BINARY, freePort, RedisServer } from '@sse/test-redis'
import { createClient, createSentinel } from 'redis'
import { inSync, until } from './cluster.ts'

const NAME = 'main'

/** A primary, a replica and the Sentinel that watches them, which the test may harm as it likes. */
export class SentinelSet {
  readonly primary: RedisServer
  readonly replica: RedisServer
  readonly #port: number
  readonly #folder: string
  readonly #process: ChildProcess

  private constructor(
    primary: RedisServer,
    replica: RedisServer,
    port: number,
    folder: string,
    child: ChildProcess,
  ) {
    this.primary = primary
    this.replica = replica
    this.#port = port
    this.#folder = folder
    this.#process = child
  }

  static async start(): Promise<SentinelSet> {
    if (BINARY === undefined) throw new Error('No redis-server on this machine: apt-get install redis-server')
    const primary = await RedisServer.start('--repl-diskless-sync-delay', '0')
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(primary.port))
    const folder = await mkdtemp(join(tmpdir(), 'sse-sentinel-'))
    const port = await freePort()
    const config = join(folder, 'sentinel.conf')
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 1`,
      `sentinel down-after-milliseconds ${NAME} 300`,
      `sentinel failover-timeout ${NAME} 3000`,
    ]
    await writeFile(config, `${lines.join('\n')}\n`)
    const child = spawn(BINARY, [config, '--sentinel'], { stdio: 'ignore' })
    const set = new SentinelSet(primary, replica, port, folder, child)
    await until(() => set.watched().catch(() => false))
    await until(async () => /master_link_status:up/.test(await set.#info(replica)))
    return set
  }

  /** A client that is led to the primary, connected. */
  async connect() {
    const sentinel = createSentinel({
      name: NAME,
      sentinelRootNodes: [{ host: '127.0.0.1', port: this.#port }],
      nodeClientOptions: { socket: { reconnectStrategy: 20 } },
      scanInterval: 100,
    })
    await sentinel.on('error', () => {}).connect()
    return sentinel
  }

  /** Resolves when the replica has all that the primary has. */
  inSync(): Promise<void> {
    return inSync(this.primary, this.replica)
  }

  /** Resolves when the replica is the primary, also for whoever asks the Sentinel. */
  async failedOver(): Promise<void> {
    await until(async () => /role:master/.test(await this.#info(this.replica)))
    await until(async () => {
      const address = await this.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)
      return Array.isArray(address) && String(address[1]) === String(this.replica.port)
    })
  }

  /** Whether the Sentinel has met the replica. */
  async watched(): Promise<boolean> {
    return /slaves=1/.test(String(await this.command('INFO', 'sentinel')))
  }

  /** Asks the Sentinel. */
  async command(...args: readonly string[]): Promise<unknown> {
    const client = createClient({ url: `redis://127.0.0.1:${this.#port}` }).on('error', () => {})
    await client.connect()
    try {
      return await client.sendCommand(args)
    } finally {
      client.destroy()
    }
  }

  async remove(): Promise<void> {
    const exited = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill('SIGKILL')
    await exited
    await this.primary.remove()
    await this.replica.remove()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Empty while it cuts its connections, as one does that is promoted. */
  async #info(server: RedisServer): Promise<string> {
    return String(await server.command('INFO', 'replication').catch(() => ''))
  }
}
