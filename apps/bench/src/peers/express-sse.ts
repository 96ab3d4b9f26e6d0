import { createServer } from 'node:http'
import express from 'express'
import SSE from 'express-sse'
import { listening, type StartPeer } from '../peer.ts'

/** express-sse under Express. With `isSerialized`, it would write its initial data to every reader whenever one connects. */
export const start: StartPeer = async () => {
  const sse = new SSE([], { isSerialized: false })
  const app = express()
  app.get('/events', (request, response) => {
    sse.init(request, response)
    response.flushHeaders()
  })
  return {
    port: await listening(createServer(app)),
    publish(payload) {
      sse.send(payload, 'news')
    },
  }
}
