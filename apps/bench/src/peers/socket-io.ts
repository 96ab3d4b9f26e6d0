import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import { Server } from 'socket.io'
import { listening, type StartPeer } from '../peer.ts'

/** socket.io with its Redis streams adapter, with which clients can resume on any server. */
export const start: StartPeer = async (redis) => {
  const client = await createClient({ url: redis }).connect()
  const server = createServer()
  const io = new Server(server, {
    adapter: createAdapter(client, { maxLen: 10_000 }),
    connectionStateRecovery: {},
    transports: ['websocket'],
    // The load answers no pings.
    pingInterval: 3_600_000,
  })
  return {
    port: await listening(server),
    publish(payload) {
      io.emit('news', payload)
    },
  }
}
