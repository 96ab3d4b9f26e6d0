import { createServer } from 'node:http'
import { type Hub, sse } from '@sse/express'
import express from 'express'
import type { TestProject } from 'vitest/node'
import { type Events, events } from '../contract.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server, which is another one than the page's. */
    readonly origin: string
  }
}

interface Room {
  readonly hub: Hub<Events>
  connections: number
}

/** The server that the page talks to: a hub of its own for each test. */
export default async function setup(project: TestProject): Promise<() => Promise<unknown>> {
  const rooms = new Map<string, Room>()
  const room = (id: string): Room => {
    const found = rooms.get(id) ?? {
      hub: sse({ events, retry: 50, history: { length: 20_000, bytes: 10_000_000 } }),
      connections: 0,
    }
    rooms.set(id, found)
    return found
  }
  const app = express()
  app.use((_req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', '*')
    next()
  })
  app.get('/:room/events', (req, res) => {
    const entered = room(req.params.room)
    entered.connections += 1
    entered.hub(req, res, () => void entered.hub.stream(res).join('news'))
  })
  app.post('/:room/publish', async (req, res) => {
    const news = room(req.params.room).hub.channel('news')
    const count = Number(req.query.count)
    // Spread over a second, as they would come.
    for (let index = 0; index < count; index += 1) {
      void news.publish('notification', { title: String(index) })
      if (index % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    res.sendStatus(202)
  })
  app.post('/:room/cut', (req, res) => {
    for (const stream of room(req.params.room).hub.streams) stream.disconnect()
    res.sendStatus(202)
  })
  app.get('/:room', (req, res) => {
    const { connections, hub } = room(req.params.room)
    res.json({ connections, streams: hub.streams.size })
  })
  const server = createServer(app)
  const { port, hostname } = new URL(project.config.provide.origin ?? '')
  const first = await new Promise<boolean>((listening, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      // vitest sets up once more for the browser's own project.
      error.code === 'EADDRINUSE' ? listening(false) : failed(error),
    )
    server.listen(Number(port), hostname, () => listening(true))
  })
  if (!first) return async () => {}
  return () => {
    server.closeAllConnections()
    return new Promise((closed) => server.close(closed))
  }
}
