import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AnyEvents } from '@sse/contract'
import { type Hub, type SseOptions, type Stream, sse } from '@sse/express'
import { connect, type TestStream } from '@sse/express/testing'
import express from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bareApp, eventsApp } from './app.ts'
import { dial } from './wire.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Served {
  readonly hub: Hub<AnyEvents>
  readonly server: ReturnType<typeof createServer>
  /** The server's ends of all connections. */
  readonly sockets: readonly Socket[]
}

/** The app of {@link eventsApp} on a server whose sockets can be seen. */
function served(options: SseOptions<AnyEvents>): Served {
  const hub = sse<AnyEvents>(options)
  const app = express().use(hub)
  app.get('/events', (_, res) => res.sse.join(['news', 'other']))
  const server = createServer(app)
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { hub, server, sockets }
}

/** Publishes numbered events until the channel has carried so many megabytes. */
async function flood(hub: Hub<AnyEvents>, megabytes: number, size = 50_000): Promise<number> {
  const count = Math.ceil((megabytes * 1_000_000) / size)
  for (let n = 0; n < count; n++) {
    await hub.channel('news').publish('n', [n, 'x'.repeat(size)])
    if (n % 5 === 0) await turn()
  }
  return count
}

const numbers = (stream: TestStream): number[] =>
  stream
    .all()
    .filter(({ event }) => event === 'n')
    .map(({ json }) => (json as [number])[0])

describe('a reader that takes nothing', () => {
  it('costs no queue: what waits at its socket is bounded, whatever is published', async () => {
    const { hub, server, sockets } = served({ history: { bytes: 1_000_000 } })
    const client = await connect(server, '/events')
    client.pause()
    let most = 0
    for (let n = 0; n < 400; n++) {
      await hub.channel('news').publish('n', 'x'.repeat(100_000))
      await turn()
      most = Math.max(most, sockets[0]?.writableLength ?? 0)
    }
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(400_000)
  })

  it('is cut off after stallTimeout, and returns with its cursor', async () => {
    // Long enough for one process to be client and server of twenty megabytes, also where it is busy.
    const { app, hub } = eventsApp({ heartbeat: 40, stallTimeout: 800, history: { bytes: 30_000_000 } })
    const client = await connect(app, '/events')
    await client.next('sse.live')
    client.pause()
    const count = await flood(hub, 20)
    await expect.poll(() => hub.stats().streams).toBe(0)
    client.unpause()
    await client.ended
    const again = await client.resume()
    await again.next('sse.live')
    expect([...numbers(client), ...numbers(again)]).toEqual(Array.from({ length: count }, (_, n) => n))
    expect(again.all().map(({ event }) => event)).not.toContain('sse.gap')
  })

  it('is cut off also when the stream was closed meanwhile', async () => {
    const { app, hub } = eventsApp({ heartbeat: 40, stallTimeout: 80, history: { bytes: 30_000_000 } })
    const client = await connect(app, '/events')
    client.pause()
    await flood(hub, 20)
    for (const stream of hub.streams) stream.close()
    await expect.poll(() => hub.stats().streams).toBe(0)
  })

  it('does not keep the others waiting', async () => {
    const { app, hub } = eventsApp({ history: { bytes: 2_000_000 } })
    const hanging = await connect(app, '/events')
    const reading = await connect(app, '/events')
    hanging.pause()
    for (let n = 0; n < 400; n++) {
      await hub.channel('news').publish('n', 'x'.repeat(50_000))
      await reading.next('n')
    }
    expect(reading.all().map(({ event }) => event)).not.toContain('sse.gap')
  })
})

describe('a slow reader', () => {
  it('catches up from the log, in order and once, as soon as it reads again', async () => {
    const { app, hub } = eventsApp({ history: { bytes: 30_000_000, length: 10_000 } })
    const client = await connect(app, '/events')
    client.pause()
    const count = await flood(hub, 20)
    client.unpause()
    await hub.channel('news').publish('done', null)
    await client.next('done')
    expect(numbers(client)).toEqual(Array.from({ length: count }, (_, n) => n))
  })

  it('that falls off the log gets sse.gap, and then only newer events', async () => {
    const { app, hub } = eventsApp({ history: { bytes: 500_000 } })
    const client = await connect(app, '/events')
    client.pause()
    const count = await flood(hub, 20)
    client.unpause()
    await hub.channel('news').publish('done', null)
    await client.next('done')
    const seen = numbers(client)
    const gap = client.all().findIndex(({ event }) => event === 'sse.gap')
    expect(gap).toBeGreaterThan(0)
    expect(client.all()[gap]?.json).toEqual({ channels: ['news'], reason: 'evicted' })
    const before = client
      .all()
      .slice(0, gap)
      .filter(({ event }) => event === 'n').length
    expect(seen.slice(0, before)).toEqual(Array.from({ length: before }, (_, n) => n))
    expect(seen[before]).toBeGreaterThan(before)
    expect(seen.slice(before)).toEqual(
      Array.from({ length: seen.length - before }, (_, n) => count - seen.length + before + n),
    )
    expect(hub.stats().gaps).toBe(1)
  })

  it('keeps private events in their place among the others', async () => {
    const { app, hub } = eventsApp({ history: { bytes: 30_000_000, length: 10_000 } })
    const client = await connect(app, '/events?channels=news,other')
    client.pause()
    await flood(hub, 10)
    const [stream] = hub.streams
    for (let n = 0; n < 10; n++) {
      stream?.send('order', n * 2)
      void hub.channel('other').publish('order', n * 2 + 1)
    }
    client.unpause()
    await hub.channel('news').publish('done', null)
    const order = (await client.upTo('done')).filter(({ event }) => event === 'order').map(({ json }) => json)
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('that is closed while it is behind gets the rest first, and then sse.close', async () => {
    const { app, hub } = eventsApp({ history: { bytes: 30_000_000, length: 10_000 } })
    const client = await connect(app, '/events')
    client.pause()
    const count = await flood(hub, 20)
    for (const stream of hub.streams) {
      stream.send('last', null)
      stream.close('enough')
      stream.send('late', null)
    }
    client.unpause()
    const events = await client.rest()
    expect(numbers(client)).toHaveLength(count)
    expect(events.slice(-2).map(({ event }) => event)).toEqual(['last', 'sse.close'])
  })

  it('with more private events than the bound is disconnected, not fed with holes', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    client.pause()
    const [stream] = hub.streams
    let sent = 0
    let more = true
    while (stream !== undefined && !stream.signal.aborted && sent < 2_000) {
      more = stream.send('private', [sent++, 'x'.repeat(50_000)])
      if (sent % 10 === 0) await turn()
    }
    expect(more).toBe(false)
    await expect.poll(() => hub.stats().streams).toBe(0)
    client.unpause()
    await client.ended
    const seen = client
      .all()
      .filter(({ event }) => event === 'private')
      .map(({ json }) => (json as [number])[0])
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => n))
  })
})

describe('a slow reader that has ended its side of the connection', () => {
  it.each<[string, (hub: Hub<AnyEvents>) => unknown]>([
    ['published', (hub) => hub.channel('news').publish('late', null)],
    [
      'sent',
      (hub) => {
        for (const stream of hub.streams) stream.send('late', null)
      },
    ],
  ])('gets all that was on its way, and the server has no error of what is %s then', async (_, say) => {
    const { hub, server, sockets } = served({ history: { bytes: 30_000_000, length: 20_000 } })
    const failed = vi.fn((_error: Error, socket: Duplex) => void socket.destroy())
    server.on('clientError', failed)
    const ended = vi.fn()
    server.on('connection', (socket) => socket.on('end', ended))
    const wire = await dial(server)
    wire.request('GET', '/events')
    await wire.until('event: sse.live')
    wire.socket.pause()
    let count = 0
    while (sockets[0]?.writableLength === 0) {
      await hub.channel('news').publish('n', [count++, 'x'.repeat(4_000)])
      await turn()
    }
    wire.socket.end()
    await vi.waitFor(() => expect(ended).toHaveBeenCalled())
    const [stream] = hub.streams
    expect(stream?.signal.aborted).toBe(false)
    await say(hub)
    await turn()
    expect(stream?.signal.aborted).toBe(true)
    wire.socket.resume()
    await wire.closed
    expect(failed).not.toHaveBeenCalled()
    expect(wire.text.match(/^event: n$/gm)).toHaveLength(count)
    expect(wire.text).toMatch(/x"\]\n\n\r\n$/)
    await expect.poll(() => hub.streams.size).toBe(0)
  })
})

describe('a replay of many small events', () => {
  const COUNT = 5_000

  it.each([1, 3])('comes whole and in order from wherever in the log, to %i at a time', async (readers) => {
    const { app, hub } = eventsApp({ history: { length: COUNT } })
    const ids: string[] = []
    for (let n = 0; n < COUNT; n++) ids.push(await hub.channel('news').publish('n', [n, 'x'.repeat(80)]))
    for (const from of [0, 100, 1_234, COUNT - 700]) {
      const clients = await Promise.all(
        Array.from({ length: readers }, () => connect(app, '/events', { lastEventId: ids[from] })),
      )
      const due = Array.from({ length: COUNT - 1 - from }, (_, n) => from + 1 + n)
      for (const client of clients) {
        await client.next('sse.live')
        expect(numbers(client)).toEqual(due)
        await client.drop()
      }
    }
  })
})

describe('a replay to one who is alone and slow', () => {
  it('waits at its socket with eight slices at most, and no more than the system has taken, and comes whole once it reads', async () => {
    const COUNT = 40_000
    const { hub, server, sockets } = served({
      history: { length: COUNT, bytes: 30_000_000 },
      limits: { replayEvents: COUNT, replayBytes: 30_000_000 },
    })
    const from = await hub.channel('news').publish('n', [-1])
    for (let n = 0; n < COUNT; n++) void hub.channel('news').publish('n', [n, 'x'.repeat(500)])
    const client = await connect(server, '/events', { lastEventId: from })
    client.pause()
    const waiting = (): number => sockets[0]?.writableLength ?? 0
    await expect.poll(waiting).toBeGreaterThan(0)
    expect(waiting()).toBeLessThan(8 * 67_000)
    expect(waiting()).toBeLessThan((sockets[0]?.bytesWritten ?? 0) - waiting())
    client.unpause()
    await client.next('sse.live')
    expect(numbers(client)).toEqual(Array.from({ length: COUNT }, (_, n) => n))
  })
})

describe('a gap listener in the midst of a write', () => {
  const SLICES = 4 * 67_000

  /** Somebody comes back from before the log, which holds some megabytes, and reads nothing until later. */
  async function lagging(listen: (stream: Stream<AnyEvents>) => void) {
    const { hub, server, sockets } = served({
      history: { length: 20_000, bytes: 12_000_000 },
      limits: { replayEvents: 20_000 },
    })
    const from = await hub.channel('news').publish('n', [-2])
    await hub.channel('news').publish('n', [-1])
    for (let n = 0; n < 20_000; n++) void hub.channel('news').publish('n', [n, 'x'.repeat(500)])
    hub.on('gap', listen)
    let most = 0
    hub.on('gap', () => {
      most = Math.max(most, sockets[0]?.writableLength ?? 0)
    })
    const client = await connect(server, '/events', { lastEventId: from })
    return { client, most: () => Math.max(most, sockets[0]?.writableLength ?? 0) }
  }

  it('that closes the stream has it end when all that was due is delivered, not written at once', async () => {
    const { client, most } = await lagging((stream) => stream.close('stale'))
    expect(most()).toBeLessThan(SLICES)
    const events = await client.rest()
    expect(events.at(-1)).toMatchObject({ event: 'sse.close', json: { reason: 'stale' } })
    expect(numbers(client).at(-1)).toBe(19_999)
  })

  it('is told by send when it is enough, and by ready when there is room', async () => {
    let sent = 0
    let ready: Promise<void> | undefined
    const { client, most } = await lagging((stream) => {
      while (sent < 100 && stream.send('big', 'x'.repeat(100_000))) sent += 1
      ready = stream.ready
    })
    expect(sent).toBeLessThan(3)
    expect(most()).toBeLessThan(SLICES)
    await ready
    await client.next('sse.live')
    expect(numbers(client).at(-1)).toBe(19_999)
  })
})

describe('send as backpressure', () => {
  it('is false while the reader is behind; ready resolves once it can take more', async () => {
    const { app } = bareApp()
    const waits: boolean[] = []
    app.get('/events', async (_, res) => {
      for (let n = 0; n < 100; n++) {
        if (res.sse.send('n', [n, 'x'.repeat(100_000)])) continue
        waits.push(true)
        await res.sse.ready
      }
      res.sse.close()
    })
    const client = await connect(app, '/events')
    await client.next('sse.close')
    expect(numbers(client)).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(waits.length).toBeGreaterThan(0)
  })

  it('does not wait for ever for a reader that leaves', async () => {
    const { app } = bareApp()
    let over = false
    app.get('/events', async (_, res) => {
      while (!res.sse.signal.aborted) {
        if (!res.sse.send('n', 'x'.repeat(100_000))) await res.sse.ready
      }
      over = true
    })
    const client = await connect(app, '/events')
    client.pause()
    await client.drop()
    await expect.poll(() => over).toBe(true)
  })
})

describe('a burst', () => {
  it('longer than the history, in one turn, evicts nothing that healthy readers were not offered', async () => {
    const { app, hub } = eventsApp({ history: { length: 10 } })
    const client = await connect(app, '/events')
    await client.next('sse.live')
    for (let n = 0; n < 1_000; n++) void hub.channel('news').publish('n', [n])
    await hub.channel('news').publish('done', null)
    await client.next('done')
    expect(numbers(client)).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
    expect(hub.stats().gaps).toBe(0)
  })

  it('of long passes lets the process do other things in between', async () => {
    const { app, hub } = eventsApp()
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect(app, '/events')))
    let turns = 0
    let counting = true
    const count = (): void => {
      turns += 1
      if (counting) setImmediate(count)
    }
    count()
    for (let n = 0; n < 50; n++) void hub.channel('news').publish('n', [n, 'x'.repeat(10_000)])
    await hub.channel('news').publish('done', null)
    await Promise.all(clients.map((client) => client.next('done')))
    counting = false
    expect(turns).toBeGreaterThan(3)
  })
})

describe('signs of life', () => {
  it('come on quiet streams, and move the cursor of a reader whose channels are quiet', async () => {
    const { app, hub } = eventsApp({ heartbeat: 30 })
    const client = await connect(app, '/events?channels=quiet')
    const first = await client.next('sse.live')
    const id = await hub.channel('elsewhere').publish('n', 1)
    let live = await client.next('sse.live')
    while (live.id !== id) live = await client.next('sse.live')
    expect(live.id).not.toBe(first.id)
    expect(client.lastEventId).toBe(id)
  })

  it('do not come where there are events', async () => {
    const { app, hub } = eventsApp({ heartbeat: 300 })
    const client = await connect(app, '/events')
    await client.next('sse.live')
    const until = Date.now() + 500
    while (Date.now() < until) {
      await hub.channel('news').publish('n', 1)
      await client.next('n')
    }
    expect(client.all().filter(({ event }) => event === 'sse.live')).toHaveLength(1)
  })

  it('come on streams that joined nothing too, without an id', async () => {
    const { app } = bareApp({ heartbeat: 20 })
    app.get('/events', (_, res) => {
      res.sse.send('n', 1)
    })
    const client = await connect(app, '/events')
    expect(await client.next('sse.live')).toMatchObject({ id: '', json: {} })
  })

  it('never let an id fall back, however much is published and however long the loop stands still', async () => {
    const { app, hub } = eventsApp({ heartbeat: 30, history: { bytes: 10_000_000 } })
    const client = await connect(app, '/events')
    await client.next('sse.live')
    for (let delay = 18; delay < 30; delay++) {
      await client.next('sse.live')
      // In a timer, just before the next beat is due: the beat then comes before the pass over the streams.
      await new Promise<void>((resolve) => {
        setTimeout(() => {
          for (let n = 0; n < 40; n++) void hub.channel('news').publish('n', [n, 'x'.repeat(10_000)])
          standStill(20)
          resolve()
        }, delay)
      })
    }
    await hub.channel('news').publish('done', null)
    await client.next('done')
    const ids = client.all().map(({ id }) => Number.parseInt(id.split('-')[1] ?? '0', 36))
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
  })

  it('blame nobody for an event loop that stood still', async () => {
    const { app, hub } = eventsApp({ heartbeat: 30, stallTimeout: 60, history: { bytes: 10_000_000 } })
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(app, '/events')))
    await Promise.all(clients.map((client) => client.next('sse.live')))
    for (let n = 0; n < 20; n++) void hub.channel('news').publish('n', [n, 'x'.repeat(50_000)])
    await turn()
    standStill(400)
    await hub.channel('news').publish('done', null)
    for (const client of clients) {
      await client.next('done')
      expect(numbers(client)).toHaveLength(20)
    }
    expect(hub.stats()).toMatchObject({ streams: 5, gaps: 0 })
  })
})

/** Holds the event loop: the fault itself, not a wait. */
function standStill(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}
