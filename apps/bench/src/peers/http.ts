import { createServer, type ServerResponse } from 'node:http'
import { blockOf, HEADERS, listening, type StartPeer, userOf } from '../peer.ts'

/** Bare `node:http`: serialised once, `res.write` for each reader and event. */
export const start: StartPeer = async () => {
  const responses = new Set<ServerResponse>()
  const users = new Map<number, ServerResponse>()
  const server = createServer((request, response) => {
    response.writeHead(200, HEADERS).flushHeaders()
    const user = userOf(request.url)
    if (user !== undefined) users.set(user, response)
    responses.add(response)
    response.once('close', () => responses.delete(response))
  })
  return {
    port: await listening(server),
    publish(payload, user) {
      const block = blockOf(payload)
      if (user !== undefined) users.get(user)?.write(block)
      else for (const response of responses) response.write(block)
    },
  }
}
