import { fastifySSE } from '@fastify/sse'
import Fastify, { type FastifyReply } from 'fastify'
import { KEPT, type Payload, portOf, type StartPeer } from '../peer.ts'

/** @fastify/sse under Fastify: `reply.sse.send` for each reader, and for each event that a returning reader has missed. */
export const start: StartPeer = async () => {
  const replies = new Set<FastifyReply>()
  const log: { readonly id: string; readonly event: string; readonly data: Payload }[] = []
  let last = 0
  const app = Fastify()
  await app.register(fastifySSE)
  app.get('/events', { sse: true }, async (_request, reply) => {
    reply.sse.keepAlive()
    reply.sse.sendHeaders()
    reply.raw.flushHeaders()
    await reply.sse.replay(async (id) => {
      for (const message of log.slice(log.length - last + Number(id))) await reply.sse.send(message)
    })
    replies.add(reply)
    reply.sse.onClose(() => replies.delete(reply))
  })
  await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  return {
    port: portOf(app.server.address()),
    publish(payload) {
      const message = { id: String(++last), event: 'news', data: payload }
      log.push(message)
      if (log.length >= 2 * KEPT) log.splice(0, KEPT)
      for (const reply of replies) void reply.sse.send(message)
    },
    cursor: async () => String(last),
  }
}
