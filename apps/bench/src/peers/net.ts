import { createServer, type Socket } from 'node:net'
import { blockOf, HEADERS, KEPT, listening, type StartPeer, userOf } from '../peer.ts'

/**
 * The floor: one preformatted Buffer with all events of a turn, written to raw sockets. No HTTP server, no parsing of headers,
 * no backpressure. Its ids are positions in a list of framed events.
 */
export const start: StartPeer = async () => {
  const sockets: Socket[] = []
  const users = new Map<number, Socket>()
  const log: Buffer[] = []
  let turn = ''
  let last = 0
  const head = `HTTP/1.1 200 OK\r\n${Object.entries({ ...HEADERS, 'Transfer-Encoding': 'chunked' })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
  const frame = (blocks: string): Buffer => Buffer.from(`${blocks.length.toString(16)}\r\n${blocks}\r\n`)
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', (request) => {
      const text = request.toString('latin1')
      const since = /Last-Event-ID: (\d+)/.exec(text)
      const user = userOf(text)
      socket.write(head)
      if (since !== null) socket.write(Buffer.concat(log.slice(log.length - last + Number(since[1]))))
      if (user !== undefined) users.set(user, socket)
      sockets.push(socket)
    })
    socket.once('close', () => sockets.splice(sockets.indexOf(socket), 1))
  })
  const flush = (): void => {
    const bytes = frame(turn)
    turn = ''
    for (const socket of sockets) socket.write(bytes)
  }
  return {
    port: await listening(server),
    publish(payload, user) {
      if (user !== undefined) {
        users.get(user)?.write(frame(blockOf(payload)))
        return
      }
      if (turn === '') setImmediate(flush)
      const block = `id: ${++last}\n${blockOf(payload)}`
      turn += block
      log.push(frame(block))
      if (log.length >= 2 * KEPT) log.splice(0, KEPT)
    },
    cursor: async () => String(last),
  }
}
