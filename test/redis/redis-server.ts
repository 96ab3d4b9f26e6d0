import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'redis'

export const BINARY: string | undefined = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find(
  existsSync,
)

/** Whether tests that need a Redis are left out. The gate never leaves them out: there they fail. */
export const missing: boolean = BINARY === undefined && process.env.CI !== 'true'
if (missing)
  process.stderr.write('Skipped: no redis-server on this machine (apt-get install redis-server).\n')

const create = (url: string) => createClient({ url, socket: { reconnectStrategy: 20 } }).on('error', () => {})

/** A client as an application has it. */
export type Client = ReturnType<typeof create>

/** A Redis of the test's own, on a port and in a folder of its own, which the test may harm as it likes. */
export class RedisServer {
  readonly port: number
  readonly #folder: string
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port
    this.#folder = folder
    this.#args = args
  }

  /** @param args - more of its configuration; without any it keeps nothing on disk */
  static async start(...args: readonly string[]): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'sse-redis-'))
    const server = new RedisServer(await freePort(), folder, args)
    await server.start()
    return server
  }

  /** Its files, such as `dump.rdb`. */
  file(name: string): string {
    return join(this.#folder, name)
  }

  /** Starts it, and resolves when it answers. */
  async start(): Promise<void> {
    if (BINARY === undefined) throw new Error('No redis-server on this machine: apt-get install redis-server')
    const listen = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder]
    this.#process = spawn(BINARY, [...listen, '--save', '', ...this.#args], { stdio: 'ignore' })
    // It answers while it loads its data, but not to this.
    while ((await this.command('PING').catch(() => undefined)) !== 'PONG') await pause(20)
  }

  /** A client of it, connected; to a port in front of it, if there is one. */
  async connect(port: number = this.port): Promise<Client> {
    return create(`redis://127.0.0.1:${port}`).connect()
  }

  /** Runs a command over a connection of its own. */
  async command(...args: readonly string[]): Promise<unknown> {
    const client = await this.connect()
    try {
      return await client.sendCommand(args)
    } finally {
      client.destroy()
    }
  }

  /** Ends it as a power cut would, or by another signal. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await exited
  }

  /** Holds it still; {@link resume} lets it go on. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Ends it for good, with its folder. */
  async remove(): Promise<void> {
    this.resume()
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Below those that are given to outgoing connections, so that it is still free after a restart. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
