import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Hub, sse } from '@sse/express'
import { redisBroker } from '@sse/redis'
import type { Client, RedisServer } from '@sse/test-redis'
import express from 'express'
import { type Events, events } from './events.ts'
import { CHANNELS } from './scenario.ts'

const isChannel = (name: string): name is keyof typeof CHANNELS => Object.hasOwn(CHANNELS, name)

/** A server as an application has one, with streams at `/events?channel=…`, which can leave and come back. */
export class EventServer {
  /** Where it listens: another one after each start, and none while it is away. */
  port: number | undefined
  readonly #redis: RedisServer | undefined
  #hub: Hub<Events> | undefined
  #http: Server | undefined
  #client: Client | undefined
  /** The hubs of killed processes, which nobody closes before the end. */
  readonly #dead: Hub<Events>[] = []

  private constructor(redis: RedisServer | undefined) {
    this.#redis = redis
  }

  static async start(redis: RedisServer | undefined): Promise<EventServer> {
    const server = new EventServer(redis)
    await server.start()
    return server
  }

  /** Its hub, while it is there. */
  get hub(): Hub<Events> | undefined {
    return this.#hub
  }

  async start(): Promise<void> {
    this.#client = await this.#redis?.connect()
    const broker =
      this.#client && redisBroker({ client: this.#client, beacon: 100, publishTimeout: 2_000, linger: 200 })
    const hub: Hub<Events> = sse({
      events,
      broker,
      heartbeat: 300,
      retry: 200,
      stallTimeout: 1_500,
      history: (channel) => isChannel(channel) && CHANNELS[channel],
    })
    hub.on('error', () => {})
    const app = express()
    app.use(hub)
    app.get('/events', async (request, response) => {
      const { searchParams } = new URL(request.url, 'http://reader')
      await hub.stream(response).join(searchParams.getAll('channel'))
    })
    app.use(((error, _request, response, _next) => {
      if (response.headersSent) response.destroy()
      else response.status(error.status ?? 500).end()
    }) satisfies express.ErrorRequestHandler)
    this.#http = createServer(app).listen(0, '127.0.0.1')
    await once(this.#http, 'listening')
    this.port = (this.#http.address() as AddressInfo).port
    // A hub that is published to before it has seen a request warns.
    await fetch(`http://127.0.0.1:${this.port}`)
    this.#hub = hub
  }

  /** Leaves as a server does that is told to. */
  async close(within?: number): Promise<void> {
    const hub = this.#hub
    this.#hub = undefined
    const stopped = this.#stopListening()
    await hub?.close(within === undefined ? {} : { within })
    // Connections without a stream are kept alive for a while.
    this.#http?.closeAllConnections()
    await stopped
    this.#client?.destroy()
  }

  /** Leaves as one whose process is killed. */
  async destroy(): Promise<void> {
    if (this.#hub !== undefined) this.#dead.push(this.#hub)
    this.#hub = undefined
    this.#client?.destroy()
    const stopped = this.#stopListening()
    this.#http?.closeAllConnections()
    await stopped
  }

  /** Is over for good. */
  async stop(): Promise<void> {
    await this.close(0)
    await Promise.all(this.#dead.map((hub) => hub.close({ within: 0 })))
  }

  #stopListening(): Promise<unknown> | undefined {
    this.port = undefined
    if (this.#http === undefined) return undefined
    const closed = once(this.#http, 'close')
    this.#http.close()
    return closed
  }
}
