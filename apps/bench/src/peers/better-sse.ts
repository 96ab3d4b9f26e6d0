import { createServer } from 'node:http'
import { createChannel, createSession } from 'better-sse'
import express from 'express'
import { listening, type StartPeer } from '../peer.ts'

/** better-sse's channel under Express. */
export const start: StartPeer = async () => {
  const channel = createChannel()
  const app = express()
  app.get('/events', async (request, response) => {
    channel.register(await createSession(request, response))
  })
  return {
    port: await listening(createServer(app)),
    publish(payload) {
      channel.broadcast(payload, 'news')
    },
  }
}
