import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { listening } from './peer.ts'

/** A Redis that the bench starts for itself, and which keeps nothing on disk. */
export interface RedisServer {
  readonly url: string
  usage(): Promise<RedisUsage>
  stop(): Promise<void>
}

interface RedisUsage {
  /** CPU microseconds so far. */
  readonly cpu: number
  /** Bytes of memory in use. */
  readonly memory: number
  /** Bytes that it has sent so far. */
  readonly sent: number
}

/** @throws Error where there is no redis-server */
export async function startRedis(): Promise<RedisServer> {
  const probe = createServer()
  const port = await listening(probe)
  probe.close()
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'))
  const listen = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const child = spawn('redis-server', [...listen, '--save', '', '--maxclients', '1000'], { stdio: 'ignore' })
  const end = (): void => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', end)
  const spawned = await started(child)
  const url = `redis://127.0.0.1:${port}`
  const client = createClient({ url, socket: { reconnectStrategy: 20 } }).on('error', () => {})
  if (spawned) await client.connect()
  else throw new Error('redis-server is not installed')
  return {
    url,
    async usage() {
      const info = await client.info()
      const read = (name: string): number => Number(new RegExp(`^${name}:(.+)`, 'm').exec(info)?.[1])
      return {
        cpu: (read('used_cpu_user') + read('used_cpu_sys')) * 1e6,
        memory: read('used_memory'),
        sent: read('total_net_output_bytes'),
      }
    },
    async stop() {
      process.off('exit', end)
      client.destroy()
      const exited = once(child, 'exit')
      end()
      await exited
    },
  }
}

/** @returns whether the program exists */
function started(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(true))
    child.once('error', () => resolve(false))
  })
}
