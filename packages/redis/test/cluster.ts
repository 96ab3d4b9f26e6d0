import type { RequestListener } from 'node:http'
import { type HistoryOptions, type Hub, sse } from '@sse/express'
import { connect, stopServing, type TestStream } from '@sse/express/testing'
import type { RedisServer } from '@sse/test-redis'
import { onTestFinished } from 'vitest'
import { type RedisBrokerOptions, type RedisClient, redisBroker } from '../src/index.ts'

/** What its servers publish. */
export interface Events {
  news: number
  state: number
}

export interface ServerOptions extends Partial<Omit<RedisBrokerOptions, 'client'>> {
  readonly history?: HistoryOptions
  /** Where its clients of Redis connect to, if not to Redis itself. */
  readonly port?: number
  readonly heartbeat?: number
}

/** Any of node-redis's clients, to be destroyed with its server. */
type AnyClient = RedisClient & { destroy(): unknown }

/** A server of the hub: its streams are at `/?channel=a&channel=b`. */
export class Server {
  readonly hub: Hub<Events>
  readonly errors: unknown[] = []
  readonly #client: AnyClient
  readonly #app: RequestListener

  private constructor(client: AnyClient, options: ServerOptions) {
    const { heartbeat = 15_000, history = {}, port: _, ...rest } = options
    this.#client = client
    const broker = redisBroker({ client, beacon: 50, ...rest })
    this.hub = sse<Events>({ broker, heartbeat, history })
    this.hub.on('error', (error) => this.errors.push(error))
    this.#app = (request, response) => {
      const query = new URL(request.url ?? '/', 'http://test').searchParams
      const last = Number(query.get('last') ?? 0)
      this.hub.stream(response).join(query.getAll('channel'), { last })
    }
  }

  static async start(redis: RedisServer, options: ServerOptions = {}): Promise<Server> {
    return new Server(await redis.connect(options.port), options)
  }

  /** A server with a client of another kind. */
  static over(client: AnyClient, options: ServerOptions = {}): Server {
    return new Server(client, options)
  }

  /** Opens a stream of some channels; with a last event id it resumes. */
  stream(channels: readonly string[], lastEventId?: string, last = 0): Promise<TestStream> {
    const query = new URLSearchParams({ last: String(last) })
    for (const channel of channels) query.append('channel', channel)
    return connect(this.#app, `/?${query}`, { lastEventId, timeout: 10_000 })
  }

  publish(channel: string, value: number): Promise<string> {
    return this.hub.channel(channel).publish('news', value)
  }

  async stop(): Promise<void> {
    await stopServing(this.#app)
    await this.hub.close()
    await this.#client.destroy()
  }
}

/** Two servers with a stream each, which have had the news 1 and 2. They are stopped when the test is over. */
export async function startTwo(connectRedis: () => Promise<AnyClient>): Promise<{
  readonly a: Server
  readonly b: Server
  readonly streams: readonly TestStream[]
}> {
  const start = async (): Promise<Server> => {
    const server = Server.over(await connectRedis(), { publishTimeout: 15_000 })
    onTestFinished(() => server.stop())
    return server
  }
  const [a, b] = await Promise.all([start(), start()])
  const streams = await Promise.all([a, b].map((server) => server.stream(['news', 'quiet'])))
  for (const stream of streams) await stream.next('sse.live')
  await a.publish('news', 1)
  await b.publish('news', 2)
  for (const stream of streams) await until(() => newsOf(stream).length === 2)
  return { a, b, streams }
}

/** The values of the news that a stream has had. */
export const newsOf = (stream: TestStream): unknown[] =>
  stream
    .all()
    .filter(({ event }) => event === 'news')
    .map(({ json }) => json)

/** The names of all that a stream has had, without signs of life. */
export const kindsOf = (stream: TestStream): string[] =>
  stream
    .all()
    .map(({ event }) => event)
    .filter((event) => event !== 'sse.live' && event !== 'sse.open')

/** Resolves when a replica has all that its primary has. */
export async function inSync(primary: RedisServer, replica: RedisServer): Promise<void> {
  // Empty while one cuts its connections, as one does that is promoted.
  const offset = async (server: RedisServer): Promise<string> => {
    const info = String(await server.command('INFO', 'replication').catch(() => ''))
    return /master_repl_offset:(\d+)/.exec(info)?.[1] ?? ''
  }
  await until(async () => {
    const [first, second] = [await offset(primary), await offset(replica)]
    return first !== '' && first === second
  })
}

/** Waits until something holds, at most twenty seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within twenty seconds: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
