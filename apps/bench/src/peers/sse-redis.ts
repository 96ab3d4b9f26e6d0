import { createServer } from 'node:http'
import { sse } from '@sse/express'
import { redisBroker } from '@sse/redis'
import express from 'express'
import { createClient } from 'redis'
import { KEPT, listening, type StartPeer } from '../peer.ts'

/** @sse/redis under Express, as its README shows it: stored, in one order, and resumable on any server. */
export const start: StartPeer = async (redis) => {
  const client = await createClient({ url: redis }).connect()
  const hub = sse({ broker: redisBroker({ client }), history: { length: KEPT, bytes: 16_000_000 } })
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
