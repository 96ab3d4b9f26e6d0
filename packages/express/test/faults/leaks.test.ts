import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Hub, sse } from '../../src/index.ts'
import { Exchanges, Wire } from '../model/wire.ts'

const MB = 1024 * 1024
const thorough = process.env.CI === 'true'
/** What is tried, and how long at most: a busy machine makes fewer connections, and says how many. */
const CONNECTS = thorough ? 100_000 : 3_000
const CONNECT_TIME = thorough ? 50_000 : 10_000
const RESUMES = thorough ? 5_000 : 1_000

let collect: () => void
beforeAll(() => {
  setFlagsFromString('--expose-gc')
  collect = runInNewContext('gc')
})

const opened: { server: Server; sockets: Set<Socket> }[] = []
afterEach(async () => {
  for (const { server, sockets } of opened.splice(0)) {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

interface Site {
  readonly port: number
  /** A connection that asks for the stream, and takes nothing unless it is told to. */
  reader(lastEventId?: string): Socket
}

async function open(hub: Hub<Record<string, unknown>>): Promise<Site> {
  const server = createServer((request, response) => {
    hub(request, response, () => {
      hub.stream(response).join(['news', request.url ?? ''])
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1_024, resolve))
  const { port } = server.address() as AddressInfo
  const sockets = new Set<Socket>()
  opened.push({ server, sockets })
  return {
    port,
    reader(lastEventId) {
      const socket = connect(port, '127.0.0.1')
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      socket.pause()
      const field = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
      socket.write(`GET /u${port} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${field}\r\n`)
      return socket
    },
  }
}

/** Memory in use after a collection, and what holds the process awake. */
async function measure(): Promise<{ heap: number; buffers: number; timers: number }> {
  for (let round = 0; round < 3; round++) {
    await new Promise(setImmediate)
    collect()
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  return { heap: heapUsed, buffers: arrayBuffers, timers }
}

const settled = (hub: Hub<Record<string, unknown>>): Promise<void> =>
  vi.waitFor(() => expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 }), { timeout: 20_000 })

describe('memory', () => {
  it(`is back at the baseline after ${CONNECTS} connects and closes`, { timeout: 180_000 }, async ({
    annotate,
  }) => {
    const hub = sse<Record<string, unknown>>({ retry: 10 })
    const site = await open(hub)
    const listeners = (): number =>
      process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
    const connectAndClose = async (): Promise<void> => {
      const socket = site.reader()
      socket.resume()
      await once(socket, 'data')
      socket.destroy()
      await once(socket, 'close')
    }
    const many = async (count: number, time: number): Promise<number> => {
      const until = performance.now() + time
      let made = 0
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          while (made < count && performance.now() < until) {
            made += 1
            await connectAndClose()
          }
        }),
      )
      await settled(hub)
      return made
    }
    // What node, and the compiler, keep once and for all is in the baseline.
    await many(1_000, CONNECT_TIME)
    const before = { ...(await measure()), listeners: listeners() }
    const made = await many(CONNECTS, CONNECT_TIME)
    await annotate(`${made} connects and closes`)
    const after = { ...(await measure()), listeners: listeners() }
    expect(after.listeners).toBe(before.listeners)
    expect(after.timers).toBeLessThanOrEqual(before.timers)
    // 100,000 leaked objects of 100 bytes would be 10 MB; what remains is noise of the collector.
    expect(after.heap - before.heap).toBeLessThan(4 * MB)
    expect(after.buffers - before.buffers).toBeLessThan(2 * MB)
    await hub.close()
  })

  it('grows by no more than the history while 200 MB go to readers that never read', {
    timeout: 120_000,
  }, async () => {
    const history = { length: 10_000, bytes: 4 * MB }
    const hub = sse<Record<string, unknown>>({ history, stallTimeout: 60_000, retry: 10 })
    const site = await open(hub)
    const readers = 50
    for (let index = 0; index < readers; index++) site.reader()
    await vi.waitFor(() => expect(hub.streams.size).toBe(readers), { timeout: 10_000 })
    const before = await measure()
    const pad = 'x'.repeat(10_000)
    let peak = 0
    for (let sent = 0; sent < 200 * MB; sent += 1_000 * pad.length) {
      for (let index = 0; index < 1_000; index++) hub.channel('news').publish('note', pad)
      await new Promise(setImmediate)
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before.buffers)
    }
    expect(hub.streams.size).toBe(readers)
    const after = await measure()
    // Once the history, and for each reader the slices that its socket was handed before it asked for patience.
    const slices = readers * 3 * 64 * 1024
    expect(after.buffers - before.buffers).toBeLessThan(history.bytes + slices + 4 * MB)
    expect(after.heap - before.heap).toBeLessThan(16 * MB)
    // Between collections what was just dropped is still there, and that of one turn is 10 MB.
    expect(peak).toBeLessThan(64 * MB)
    await hub.close()
  })

  it(`is bounded by slices when ${RESUMES} readers resume by 1 MB each and do not read`, {
    timeout: 120_000,
  }, async () => {
    const exchanges = new Exchanges()
    const hub = sse<Record<string, unknown>>({ history: { length: 20_000, bytes: 8 * MB }, retry: 10 })
    const ids: string[] = []
    // Each of the cursors is another one, a megabyte from the end.
    for (let index = 0; index < RESUMES + MB / 1_000; index++) {
      const id = await hub.channel('news').publish('note', 'x'.repeat(1_000))
      if (index < RESUMES) ids.push(id)
    }
    const before = await measure()
    // In memory, as the system's own buffers take some megabytes before a socket is full.
    const wires: Wire[] = []
    for (const id of ids) {
      const wire = new Wire(16_384)
      wires.push(wire)
      wire.stall()
      const { response } = await exchanges.request(wire, id)
      await hub.stream(response).join('news')
    }
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
    const after = await measure()
    const slice = 64 * 1024
    // One slice, whose last event may reach beyond it, was offered to each; a quarter more is the allocator's.
    expect(after.buffers - before.buffers).toBeLessThan(RESUMES * slice * 1.25)
    expect(after.buffers - before.buffers).toBeGreaterThan(RESUMES * slice * 0.5)
    expect(after.heap - before.heap).toBeLessThan(RESUMES * 40_000)
    for (const wire of wires) wire.destroy()
    await settled(hub)
    await hub.close()
  })
})
