import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type ServerName, serverName } from '../../shared/servers.ts'
import { KeptProcess } from './kept-process.ts'

const member = fileURLToPath(new URL('member.ts', import.meta.url))

/** What a server says once it listens. */
const hello = z.object({ port: z.int() })

/** The servers, each a process of its own. */
export class Fleet {
  readonly #servers: ReadonlyMap<ServerName, KeptProcess<number>>

  constructor(redisUrl: string, changed: (words: string) => void) {
    this.#servers = new Map(serverName.options.map((name) => [name, keepServer(name, redisUrl, changed)]))
  }

  /** Where those that are up listen. */
  get ports(): readonly number[] {
    return [...this.#servers.values()].flatMap(({ value }) => value ?? [])
  }

  /** Each of them, and whether it is up. */
  get roll(): { readonly name: ServerName; readonly up: boolean }[] {
    return [...this.#servers].map(([name, { value }]) => ({ name, up: value !== undefined }))
  }

  /** Resolves once all are up. */
  async start(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.start()))
  }

  async kill(name: ServerName): Promise<void> {
    await this.#servers.get(name)?.kill()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.stop()))
  }
}

const keepServer = (name: ServerName, redisUrl: string, changed: (words: string) => void) =>
  new KeptProcess({
    title: `Server ${name}`,
    changed,
    spawn: () =>
      fork(member, {
        env: { ...process.env, SERVER: name, REDIS_URL: redisUrl },
        // In a group of its own, so that Ctrl+C does not end it before its readers were told.
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    async ready(child) {
      const [message] = await once(child, 'message')
      return hello.parse(message).port
    },
  })
