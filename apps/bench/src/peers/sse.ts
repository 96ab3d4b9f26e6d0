import { createServer } from 'node:http'
import { sse } from '@sse/express'
import express from 'express'
import { listening, type StartPeer } from '../peer.ts'

/** @sse/express under Express, as its README shows it: ids, history and resume included. */
export const start: StartPeer = async () => {
  const hub = sse({ history: { length: 10_000, bytes: 16_000_000 } })
  const app = express()
  app.use(hub)
  app.get('/events', (_request, response) => response.sse.join('news'))
  return {
    port: await listening(createServer(app)),
    publish(payload) {
      void hub.channel('news').publish('news', payload)
    },
  }
}
