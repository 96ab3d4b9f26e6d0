import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { listening, type StartPeer } from '../peer.ts'

/** The same events over WebSocket: serialised once, sent to each client. */
export const start: StartPeer = async () => {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  return {
    port: await listening(server),
    publish(payload) {
      const data = JSON.stringify({ event: 'news', data: payload })
      for (const socket of sockets.clients) socket.send(data)
    },
  }
}
