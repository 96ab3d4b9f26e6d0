import { createServer, type Socket } from 'node:net'
import { HEADERS, listening, type StartPeer } from '../peer.ts'

/** The floor: one preformatted Buffer written to raw sockets, all of a turn at once. No HTTP server, no parsing, no id. */
export const start: StartPeer = async () => {
  const sockets: Socket[] = []
  let turn = ''
  const head = `HTTP/1.1 200 OK\r\n${Object.entries({ ...HEADERS, 'Transfer-Encoding': 'chunked' })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(head)
      sockets.push(socket)
    })
    socket.once('close', () => sockets.splice(sockets.indexOf(socket), 1))
  })
  const flush = (): void => {
    const bytes = Buffer.from(`${turn.length.toString(16)}\r\n${turn}\r\n`)
    turn = ''
    for (const socket of sockets) socket.write(bytes)
  }
  return {
    port: await listening(server),
    publish(payload) {
      if (turn === '') setImmediate(flush)
      turn += `event: news\ndata: ${JSON.stringify(payload)}\n\n`
    },
  }
}
