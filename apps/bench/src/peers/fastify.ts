import { default as fastifySse } from '@fastify/sse'
import Fastify, { type FastifyReply } from 'fastify'
import type { StartPeer } from '../peer.ts'

/** @fastify/sse under Fastify: `reply.sse.send` for each reader. */
export const start: StartPeer = async () => {
  const replies = new Set<FastifyReply>()
  const app = Fastify()
  await app.register(fastifySse)
  app.get('/events', { sse: true }, async (_request, reply) => {
    reply.sse.keepAlive()
    reply.sse.sendHeaders()
    replies.add(reply)
    reply.sse.onClose(() => replies.delete(reply))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    publish(payload) {
      for (const reply of replies) void reply.sse.send({ event: 'news', data: payload })
    },
  }
}
