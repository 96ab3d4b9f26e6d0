import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Exchanges, Wire } from './wire.ts'

/** One connection whose reader takes nothing at first. */
interface Pair {
  readonly response: ServerResponse
  release(): void
  cut(): void
}

const servers: Server[] = []
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function overWire(): Promise<Pair> {
  const wire = new Wire(16_384)
  const { response } = await new Exchanges().request(wire, 'id-1')
  response.flushHeaders()
  wire.stall()
  return { response, release: () => wire.release(), cut: () => wire.destroy() }
}

async function overSocket(): Promise<Pair> {
  let arrived: (pair: Pair) => void = () => {}
  const pair = new Promise<Pair>((resolve) => {
    arrived = resolve
  })
  const server = createServer((_request, response) => {
    response.flushHeaders()
    arrived({ response, release: () => socket.resume(), cut: () => socket.destroy() })
  })
  servers.push(server)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  socket.pause()
  socket.on('error', () => {})
  socket.write('GET /events HTTP/1.0\r\nLast-Event-ID: id-1\r\n\r\n')
  return pair
}

const once = (response: ServerResponse, event: 'drain' | 'close'): Promise<void> =>
  new Promise((resolve) => response.once(event, () => resolve()))

describe.each([
  ['a wire', overWire],
  ['a socket', overSocket],
])('%s', (_name, open) => {
  it('hands the request to the handler', async () => {
    const { response } = await open()
    expect(response.req.headers['last-event-id']).toBe('id-1')
    expect(response.req.httpVersionMinor).toBe(0)
  })

  it('asks for patience when its reader takes nothing, and drains when it takes all', async () => {
    const { release, response } = await open()
    const block = Buffer.alloc(65_536)
    let written = 1
    // The system takes some megabytes before a socket is full.
    while (response.writableLength === 0 && written < 1_000) {
      response.write(block)
      written += 1
      await new Promise(setImmediate)
    }
    expect(response.write(block)).toBe(false)
    expect(response.writableNeedDrain).toBe(true)
    expect(response.writableLength).toBeGreaterThan(0)
    const drained = once(response, 'drain')
    release()
    await drained
    expect(response.writableLength).toBe(0)
    expect(response.writableNeedDrain).toBe(false)
  })

  it('closes the response when it is cut', async () => {
    const { cut, response } = await open()
    const closed = once(response, 'close')
    cut()
    await closed
    expect(response.destroyed).toBe(true)
  })
})
