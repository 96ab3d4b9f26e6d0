import { createServer } from 'node:http'
import { sse } from '@sse/express'
import { serve } from '@sse/express/testing'
import express from 'express'
import { onTestFinished } from 'vitest'
import { events, type Notice } from '../contract.ts'

/** An app that keeps notices, answers them by GET and publishes new ones; its history is one event long. */
export async function startNoticeBoard() {
  const notices: Notice[] = [{ title: 'first' }]
  let queries = 0
  const hub = sse({ events, retry: 50, history: { length: 1 } })
  const app = express()
  app.use((_req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', '*')
    next()
  })
  app.use(hub)
  app.get('/events', async (_req, res) => {
    await res.sse.join('notices')
  })
  app.get('/notices', (_req, res) => {
    queries += 1
    res.json(notices)
  })
  const server = createServer(app)
  const url = await serve(server)
  onTestFinished(async () => {
    await hub.close()
    server.closeAllConnections()
    server.close()
  })
  return {
    url,
    hub,
    /** How often all notices were asked for. */
    get queries() {
      return queries
    },
    async post(title: string): Promise<void> {
      notices.push({ title })
      await hub.channel('notices').publish('notification', { title })
    },
    cut: () => server.closeAllConnections(),
  }
}
