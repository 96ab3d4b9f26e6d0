import { createServer } from 'node:http'
import { type Channel, createChannel, createSession } from 'better-sse'
import express from 'express'
import { listening, type StartPeer, userOf } from '../peer.ts'

/** better-sse's channels under Express. */
export const start: StartPeer = async () => {
  const channel = createChannel()
  const users = new Map<number, Channel>()
  const app = express()
  app.get('/events', async (request, response) => {
    const session = await createSession(request, response)
    channel.register(session)
    const user = userOf(request.url)
    if (user !== undefined) users.set(user, createChannel().register(session))
  })
  return {
    port: await listening(createServer(app)),
    publish(payload, user) {
      if (user === undefined) channel.broadcast(payload, 'news')
      else users.get(user)?.broadcast(payload, 'news')
    },
  }
}
