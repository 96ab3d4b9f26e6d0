import { type Hub, sse } from '@sse/express'
import express from 'express'
import type { TestProject } from 'vitest/node'
import { serveBrowser } from '../../../../vitest.browser.server.ts'
import { type Events, events } from '../contract.ts'

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
  return serveBrowser(project, app)
}
