import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Hub, sse } from '@sse/express'
import express from 'express'
import type { TestProject } from 'vitest/node'
import { serveBrowser } from '../../../../vitest.browser.server.ts'
import { events } from './events.ts'
import { createScripts } from './scripts.ts'

/** What a page asked for, as the server saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly lastEventId: string | undefined
}

interface Room {
  readonly hub: Hub<typeof events>
  readonly seen: Seen[]
}

/** Pages of any origin may read; a preflight is answered as well, and seen. */
function cors(req: IncomingMessage, res: ServerResponse, next: () => void): void {
  res.setHeader('Access-Control-Allow-Origin', req.headers.origin ?? '*')
  if (req.headers.origin !== undefined) res.setHeader('Access-Control-Allow-Credentials', 'true')
  res.setHeader('Access-Control-Allow-Headers', 'authorization, content-type')
  res.setHeader('Access-Control-Expose-Headers', 'content-location, retry-after')
  next()
}

/** The server that the browser's tests talk to: a hub of its own for each test. */
export default async function setup(project: TestProject): Promise<() => Promise<unknown>> {
  const rooms = new Map<string, Room>()
  const room = (id: string): Room => {
    const found = rooms.get(id) ?? { hub: sse({ events, heartbeat: 1_000 }), seen: [] }
    rooms.set(id, found)
    return found
  }
  const app = express()
  app.use(cors)
  app.options('/scripts/:id/:path', (_req, res) => void res.status(204).end())
  app.use(createScripts())
  app.all('/:room/events', (req, res) => {
    const { hub, seen } = room(req.params.room)
    const { method, originalUrl: url } = req
    seen.push({ method, url, lastEventId: req.get('last-event-id') })
    if (method === 'OPTIONS') res.status(204).end()
    else hub(req, res, () => void hub.stream(res).join('news'))
  })
  app.post('/:room/publish', async (req, res) => {
    await room(req.params.room).hub.channel('news').publish('note', String(req.query.note))
    res.sendStatus(202)
  })
  app.post('/:room/cut', (req, res) => {
    for (const stream of room(req.params.room).hub.streams) stream.disconnect()
    res.sendStatus(202)
  })
  app.post('/:room/close', (req, res) => {
    for (const stream of room(req.params.room).hub.streams) stream.close('complete')
    res.sendStatus(202)
  })
  app.get('/:room/seen', (req, res) => {
    const { seen, hub } = room(req.params.room)
    res.json({ seen, streams: hub.streams.size })
  })
  app.get('/status/:status', (req, res) => {
    res.status(Number(req.params.status)).type('text/event-stream').end()
  })
  return serveBrowser(project, app)
}
