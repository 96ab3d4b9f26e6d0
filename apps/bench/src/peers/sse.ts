import { createServer } from 'node:http'
import { sse } from '@sse/express'
import express from 'express'
import { KEPT, listening, type StartPeer, userOf } from '../peer.ts'

/** @sse/express under Express, as its README shows it: ids, history, resume and backpressure included. */
export const start: StartPeer = async () => {
  const hub = sse({ history: { length: KEPT, bytes: 16_000_000 } })
  const app = express()
  app.use(hub)
  app.get('/events', (request, response) => {
    const user = userOf(request.url)
    return response.sse.join(user === undefined ? 'news' : ['news', `user:${user}`])
  })
  return {
    port: await listening(createServer(app)),
    publish(payload, user) {
      void hub.channel(user === undefined ? 'news' : `user:${user}`).publish('news', payload)
    },
    cursor: () => hub.cursor(),
  }
}
