import { createServer } from 'node:http'
import { createChannel, createEventBuffer, createSession } from 'better-sse'
import express from 'express'
import { listening, type StartPeer } from '../peer.ts'

/** better-sse with an event buffer: all events of a turn are serialised once and written at once. */
export const start: StartPeer = async () => {
  const channel = createChannel()
  const app = express()
  app.get('/events', async (request, response) => {
    channel.register(await createSession(request, response))
  })
  let buffer = createEventBuffer()
  let pending = false
  const flush = (): void => {
    const batch = buffer
    buffer = createEventBuffer()
    pending = false
    for (const session of channel.activeSessions) void session.batch(batch)
  }
  return {
    port: await listening(createServer(app)),
    publish(payload) {
      if (!pending) setImmediate(flush)
      pending = true
      buffer.push(payload, 'news')
    },
  }
}
