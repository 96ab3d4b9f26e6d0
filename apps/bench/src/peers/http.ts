import { createServer, type ServerResponse } from 'node:http'
import { HEADERS, listening, type StartPeer } from '../peer.ts'

/** Bare `node:http`: serialised once, `res.write` for each reader and event. */
export const start: StartPeer = async () => {
  const responses = new Set<ServerResponse>()
  const server = createServer((_request, response) => {
    response.writeHead(200, HEADERS).flushHeaders()
    responses.add(response)
    response.once('close', () => responses.delete(response))
  })
  return {
    port: await listening(server),
    publish(payload) {
      const block = `event: news\ndata: ${JSON.stringify(payload)}\n\n`
      for (const response of responses) response.write(block)
    },
  }
}
