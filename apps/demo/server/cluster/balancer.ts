import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { connect, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

/**
 * Hands each request to the next server in turn, whoever it comes from. A server that cannot be reached is skipped; what
 * has reached one is not sent again, as it may have been acted upon.
 *
 * @param ports - where the servers listen
 */
export function createBalancer(ports: () => readonly number[]) {
  let turn = 0

  async function reachNext(): Promise<Socket | undefined> {
    const choices = ports()
    const first = turn++
    for (let n = 0; n < choices.length; n++) {
      const port = choices[(first + n) % choices.length]
      const socket = port === undefined ? undefined : await reach(port)
      if (socket !== undefined) return socket
    }
    return undefined
  }

  return async function balance(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const socket = await reachNext()
    if (socket === undefined) {
      answer(response, 503, 'No server is up. Try again in a moment.')
      return
    }
    // The client may have left meanwhile, and will not be heard leaving again.
    if (response.destroyed) {
      socket.destroy()
      return
    }
    const { method, url: path, headers } = request
    const forwarded = send({
      createConnection: () => socket,
      method,
      path,
      headers: { ...headers, connection: 'close' },
    })
    forwarded.once('response', (received) => {
      const { connection: _, 'keep-alive': __, ...rest } = received.headers
      response.writeHead(received.statusCode ?? 502, rest)
      response.flushHeaders()
      // When the server dies in the middle of its answer, the client sees the connection break.
      pipeline(received, response, () => {})
    })
    forwarded.once('error', () => {
      if (response.headersSent) response.destroy()
      else answer(response, 502, 'The server was lost. Try again in a moment.')
    })
    response.once('close', () => forwarded.destroy())
    request.pipe(forwarded)
  }
}

async function reach(port: number): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect').then(
    () => socket,
    () => undefined,
  )
}

function answer(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Retry-After': '1' })
  response.end(JSON.stringify({ message }))
}
