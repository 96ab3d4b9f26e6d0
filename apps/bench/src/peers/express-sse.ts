import { createServer } from 'node:http'
import express from 'express'
import SSE from 'express-sse'
import { listening, type StartPeer } from '../peer.ts'

/** express-sse under Express. */
export const start: StartPeer = async () => {
  const sse = new SSE()
  const app = express()
  app.get('/events', sse.init)
  return {
    port: await listening(createServer(app)),
    publish(payload) {
      sse.send(payload, 'news')
    },
  }
}
