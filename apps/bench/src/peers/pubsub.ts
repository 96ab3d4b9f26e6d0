import { createServer, type ServerResponse } from 'node:http'
import { createClient } from 'redis'
import { blockOf, HEADERS, listening, type StartPeer } from '../peer.ts'

/** Bare Redis pub/sub: events are published preformatted, and written with `res.write` as they arrive. Nothing is stored. */
export const start: StartPeer = async (redis) => {
  const publisher = await createClient({ url: redis }).connect()
  const subscriber = await publisher.duplicate().connect()
  const responses = new Set<ServerResponse>()
  const server = createServer((_request, response) => {
    response.writeHead(200, HEADERS).flushHeaders()
    responses.add(response)
    response.once('close', () => responses.delete(response))
  })
  await subscriber.subscribe('news', (block) => {
    for (const response of responses) response.write(block)
  })
  return {
    port: await listening(server),
    publish(payload) {
      void publisher.publish('news', blockOf(payload))
    },
  }
}
