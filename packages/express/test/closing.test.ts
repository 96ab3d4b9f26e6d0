import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import type { AnyEvents } from '@sse/contract'
import { type Hub, SseError, type Stream, sse } from '@sse/express'
import { connect, serve } from '@sse/express/testing'
import express from 'express'
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { closeStreams } from '../src/closing.ts'
import { bareApp, eventsApp } from './app.ts'
import { gatedBroker, letJoin } from './gated-broker.ts'
import { dial } from './wire.ts'

describe('closing a stream', () => {
  it('delivers what was sent and published before, in the same turn too, then sse.close with a final id', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      for (let n = 0; n < 3; n++) void hub.channel('news').publish('n', n)
      res.sse.send('mine', null)
      res.sse.close('finished')
      res.sse.send('late', null)
      void hub.channel('news').publish('late', null)
    })
    const stream = await connect(app, '/events')
    const events = await stream.rest()
    const names = events.map(({ event }) => event).filter((name) => name !== 'sse.live')
    expect(names).toEqual(['sse.open', 'n', 'n', 'n', 'mine', 'sse.close'])
    expect(events.at(-1)).toMatchObject({ json: { reason: 'finished' }, id: expect.stringMatching(/-3~$/) })
  })

  it('answers its final id with 204 before any handler, from header or query, and to GET alone', async () => {
    const { app, hub } = eventsApp()
    let asked = 0
    app.get('/other', (_, res) => {
      asked += 1
      res.sendStatus(200)
    })
    app.post('/other', (_, res) => {
      res.sendStatus(201)
    })
    const client = await connect(app, '/events')
    for (const stream of hub.streams) stream.close()
    await client.next('sse.close')
    expect((await client.resume()).status).toBe(204)
    const final = client.lastEventId
    await request(app).get(`/other?lastEventId=${final}`).expect(204).expect('cache-control', 'no-store')
    expect(asked).toBe(0)
    await request(app).post('/other').set('Last-Event-ID', final).expect(201)
    await request(app).get('/other').set('Last-Event-ID', final.slice(0, -1)).expect(200)
  })

  it('answers its final id with 204 without a middleware as well, whatever the handler does first', async () => {
    const hub = sse()
    let runs = 0
    const handlers: Record<string, (stream: Stream<AnyEvents>) => unknown> = {
      '/join': (stream) => stream.join('news'),
      '/send': (stream) => stream.send('n', 1),
      '/sendAll': (stream) =>
        stream.sendAll('n', async function* () {
          runs += 1
          yield 1
        }),
      '/close': () => {},
    }
    const server = createServer(async (req, res) => {
      const stream = hub.stream(res)
      await handlers[req.url ?? '']?.(stream)
      stream.close()
    })
    for (const path of Object.keys(handlers)) {
      const client = await connect(server, path)
      await client.next('sse.close')
      expect((await client.resume()).status).toBe(204)
    }
    expect(runs).toBe(1)
  })

  it('says why in a word whatever it is given: a reader takes no other reason', async () => {
    const { app, hub } = eventsApp()
    app.get('/closed', (_, res) => res.sse.close(404 as never))
    const [closed] = (await (await connect(app, '/closed')).rest()).slice(-1)
    expect(closed).toMatchObject({ event: 'sse.close', json: { reason: '404' } })
    const client = await connect(app, '/events')
    await hub.channel('news').end(null as never)
    expect((await client.next('sse.close')).json).toEqual({ reason: 'null' })
  })

  it('ends a stream that joined nothing with a final id as well', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => {
      res.sse.send('n', 1)
      res.sse.close()
    })
    const client = await connect(app, '/events')
    await client.next('sse.close')
    expect((await client.resume()).status).toBe(204)
  })

  it('that was never used opens and closes it: the client stays away', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => res.sse.close('nothing here'))
    const events = await (await connect(app, '/events')).rest()
    expect(events.map(({ event }) => event)).toEqual(['sse.open', 'sse.close'])
  })

  it('while it joins waits for the join, and then ends it', async () => {
    const broker = gatedBroker()
    const { app, hub } = bareApp({ broker })
    app.get('/events', (_, res) => {
      void res.sse.join('news')
      res.sse.close('at once')
    })
    const connecting = connect(app, '/events')
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    broker.open()
    const client = await connecting
    expect((await client.next('sse.close')).json).toEqual({ reason: 'at once' })
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })

  it('while it joins more waits for nothing: what is published meanwhile is not its', async () => {
    const broker = gatedBroker()
    const { app, hub } = eventsApp({ broker })
    const connecting = connect(app, '/events')
    await letJoin(broker)
    const client = await connecting
    await client.next('sse.live')
    const [stream] = hub.streams
    const joined = stream?.join('more')
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    await hub.channel('news').publish('last', null)
    stream?.close('signed-out')
    await hub.channel('news').publish('secret', null)
    broker.open()
    await joined
    expect((await client.rest()).map(({ event }) => event)).toEqual(['last', 'sse.close'])
    expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })

  it('twice is once, and after the reader left is nothing', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    const [stream] = hub.streams
    stream?.close('first')
    stream?.close('second')
    stream?.disconnect()
    expect((await client.next('sse.close')).json).toEqual({ reason: 'first' })
    await stream?.closed
    stream?.close('third')
    expect((await client.rest()).length).toBe(0)
  })
})

describe('disconnecting', () => {
  it('ends the connection, and the client comes back and resumes', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    await client.next('sse.live')
    hub.channel('news').disconnect()
    await client.ended
    expect(client.all().map(({ event }) => event)).not.toContain('sse.close')
    await hub.channel('news').publish('n', 1)
    expect((await (await client.resume()).next('n')).json).toBe(1)
  })

  it('a stream that was never used cuts its connection: no answer tells the client to stay away', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => res.sse.disconnect())
    await expect(request(app).get('/events')).rejects.toThrow('socket hang up')
  })

  it('authorises again: a token that was revoked in mid-stream does not resume', async () => {
    const { app, hub } = bareApp()
    const tokens = new Set(['good'])
    app.get('/events', async (req, res) => {
      if (!tokens.has(String(req.query.token))) return void res.sendStatus(401)
      res.sse.locals.token = req.query.token
      await res.sse.join('news')
    })
    const client = await connect(app, '/events?token=good')
    await client.next('sse.live')
    tokens.delete('good')
    for (const stream of hub.streams) if (stream.locals.token === 'good') stream.disconnect()
    await client.ended
    await hub.channel('news').publish('n', 'secret')
    expect((await client.resume()).status).toBe(401)
    expect(client.raw).not.toContain('secret')
  })

  it.each<[string, (hub: Hub<AnyEvents>) => void]>([
    [
      'itself',
      (hub) => {
        for (const stream of hub.streams) stream.disconnect()
      },
    ],
    ['by its channel', (hub) => hub.channel('news').disconnect()],
  ])(
    'of a stream that still joins, %s, cuts it, instead of answering 200 without a stream',
    async (_, act) => {
      const broker = gatedBroker()
      const { app, hub } = eventsApp({ broker })
      const connecting = connect(app, '/events')
      connecting.catch(() => {})
      await expect.poll(() => broker.waiting).toEqual(['attach'])
      act(hub)
      await expect(connecting).rejects.toThrow(/socket hang up|ECONNRESET/)
      broker.open()
      await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    },
  )

  it('by a channel takes in a stream whose join of it waits for another join', async () => {
    const broker = gatedBroker()
    const { app, hub } = bareApp({ broker })
    app.get('/events', (_, res) => {
      void res.sse.join('news')
      void res.sse.join('secret')
    })
    const connecting = connect(app, '/events')
    connecting.catch(() => {})
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    hub.channel('other').disconnect()
    expect(hub.stats().streams).toBe(1)
    hub.channel('secret').disconnect()
    await expect(connecting).rejects.toThrow(/socket hang up|ECONNRESET/)
    broker.open()
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })

  it('by a channel is not led astray by a join of what is no list that waits for another join', async () => {
    const broker = gatedBroker()
    const { app, hub } = bareApp({ broker })
    const refused = vi.fn()
    app.get('/events', (_, res) => {
      void res.sse.join('news')
      // @ts-expect-error as a query may give it
      res.sse.join({ a: '1' }).catch(refused)
    })
    const connecting = connect(app, '/events')
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    hub.channel('other').disconnect()
    await letJoin(broker)
    await connecting
    await expect.poll(() => refused.mock.calls.length).toBe(1)
  })

  it('by a channel spares a stream whose join of it was refused', async () => {
    const broker = gatedBroker()
    const { app, hub } = bareApp({ broker, limits: { channelsPerStream: 1 } })
    const refused = vi.fn()
    app.get('/events', (_, res) => {
      void res.sse.join('news')
      res.sse.join('secret').catch(refused)
    })
    const connecting = connect(app, '/events')
    await letJoin(broker)
    const client = await connecting
    await expect.poll(() => refused.mock.calls.length).toBe(1)
    hub.channel('secret').disconnect()
    void hub.channel('news').publish('n', 1)
    expect((await client.next('n')).json).toBe(1)
  })
})

describe('hub.close', () => {
  it('sends everyone away to come back, each at another time, and resolves when all are gone', async () => {
    const { app, hub } = eventsApp({ retry: 10_000 })
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect(app, '/events')))
    await Promise.all(clients.map((client) => client.next('sse.live')))
    const opening = clients.map(({ retry }) => retry)
    await hub.close()
    expect(hub.stats().streams).toBe(0)
    await Promise.all(clients.map(({ ended }) => ended))
    expect(clients.every(({ retry }, index) => retry === opening[index])).toBe(false)
    expect(new Set(clients.map(({ retry }) => retry)).size).toBeGreaterThan(5)
    for (const client of clients) {
      expect(client.all().map(({ event }) => event)).toEqual(['sse.open', 'sse.live'])
    }
  })

  it('tells when to come back also where the window is no number', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    await client.next('sse.live')
    await hub.close({ within: Number.NaN })
    await client.ended
    expect(client.raw).toMatch(/sse\.live.*retry: \d+\n\n$/s)
  })

  it('delivers first what was published', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    void hub.channel('news').publish('n', 'last words')
    await hub.close()
    expect((await client.rest()).map(({ event }) => event)).toContain('n')
  })

  it('lets server.close return', async () => {
    const hub = sse()
    const app = express().get('/events', hub, (_, res) => res.sse.join('news'))
    const server = createServer(app)
    const clients = [await connect(server, '/events'), await connect(server, '/events')]
    const closed = new Promise((resolve) => server.close(resolve))
    await hub.close()
    await closed
    await Promise.all(clients.map(({ ended }) => ended))
  })

  it.each(['before', 'after'])(
    'lets server.close return that was called %s, where readers keep their connections',
    async (when) => {
      const hub = sse()
      const server = createServer(express().get('/events', hub, (_, res) => res.sse.join('news')))
      // As one that outlasts the balancer's.
      server.keepAliveTimeout = 65_000
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const agent = new Agent({ keepAlive: true })
      const { port } = server.address() as AddressInfo
      const request = get({ port, path: '/events', agent }, (response) => response.resume())
      await once(request, 'response')
      const close = () => new Promise((resolve) => server.close(resolve))
      const closed = when === 'before' ? close() : hub.close().then(close)
      await hub.close()
      await closed
      expect(agent.freeSockets).toEqual({})
    },
  )

  it('ends the streams of connections that are no sockets, as a tunnel makes them', async () => {
    const hub = sse()
    const server = createServer(express().get('/events', hub, (_, res) => res.sse.join('news')))
    let text = ''
    const connection = new Duplex({
      read() {},
      write(chunk, _, written) {
        text += chunk
        written()
      },
    })
    server.emit('connection', connection)
    connection.push('GET /events HTTP/1.1\r\nHost: test\r\n\r\n')
    await expect.poll(() => text).toContain('sse.live')
    await hub.close()
    await expect.poll(() => connection.writableFinished).toBe(true)
    expect(text).toMatch(/\r\n0\r\n\r\n$/)
  })

  it('takes no new streams: 503 with Retry-After, also for one that was about to join', async () => {
    const { app, hub } = bareApp()
    let release = (): void => {}
    let asked = false
    app.get('/events', async (_, res) => {
      asked = true
      await new Promise<void>((resolve) => {
        release = resolve
      })
      await res.sse.join('news')
    })
    const connecting = connect(app, '/events')
    await expect.poll(() => asked).toBe(true)
    await hub.close()
    release()
    expect(await connecting).toMatchObject({ status: 503, headers: { 'retry-after': '2' } })
  })

  it('takes no sends on new streams either', async () => {
    const { app, hub } = bareApp()
    app.get('/events', (_, res) => {
      res.sse.send('n', 1)
    })
    await hub.close()
    await request(app).get('/events').expect(503).expect('retry-after', '2')
  })

  it('cuts who is still joining', async () => {
    const broker = gatedBroker()
    const { app, hub } = eventsApp({ broker })
    const connecting = connect(app, '/events')
    connecting.catch(() => {})
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    await hub.close()
    await expect(connecting).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect(hub.stats().streams).toBe(0)
  })

  it('cuts readers that take nothing when time is up', async () => {
    const { app, hub } = eventsApp({ history: { bytes: 5_000_000 } })
    const client = await connect(app, '/events')
    client.pause()
    for (let n = 0; n < 100; n++) {
      await hub.channel('news').publish('n', 'x'.repeat(200_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await hub.close({ within: 50 })
    expect(hub.stats().streams).toBe(0)
  })

  it('cuts in the end who was sent away before, and takes nothing', async () => {
    const hub = sse({ history: { bytes: 30_000_000, length: 10_000 } })
    const server = createServer((_, res) => void hub.stream(res).join('news'))
    const client = await connect(server, '/events')
    await client.next('sse.live')
    client.pause()
    for (let n = 0; n < 200; n++) {
      await hub.channel('news').publish('n', 'x'.repeat(50_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const closed = new Promise((resolve) => server.close(resolve))
    for (const stream of hub.streams) stream.disconnect()
    expect(hub.streams.size).toBe(1)
    await hub.close({ within: 300 })
    expect(hub.streams.size).toBe(0)
    await closed
  })

  it('has a slow reader take all that was on its way, with server.close beside it', async () => {
    const hub = sse<AnyEvents>()
    const server = createServer((_, res) => hub.stream(res).join('news'))
    const wire = await dial(server)
    wire.request('GET', '/events')
    await wire.until('sse.live')
    wire.socket.pause()
    const [stream] = hub.streams
    while (stream?.send('n', 'x'.repeat(20_000))) await new Promise((resolve) => setImmediate(resolve))
    const closed = hub.close({ within: 10_000 })
    const stopped = new Promise((resolve) => server.close(resolve))
    wire.socket.resume()
    await closed
    await stopped
    await wire.closed
    expect(wire.text).toMatch(/\n\n\r\n0\r\n\r\n$/)
  })

  it('twice is one closing', async () => {
    const { app, hub } = eventsApp()
    await connect(app, '/events')
    const first = hub.close()
    expect(hub.close()).toBe(first)
    await first
  })

  it('refuses to publish afterwards, with the remedy', async () => {
    const { hub } = eventsApp()
    await hub.close()
    await expect(hub.channel('news').publish('n', 1)).rejects.toThrow(SseError)
    await expect(hub.channel('news').publish('n', 1)).rejects.toMatchObject({
      code: 'ERR_SSE_BROKER',
      status: 503,
    })
  })

  it('leaves no timer and no listener of its own', async () => {
    const started = vi.spyOn(globalThis, 'setInterval')
    const stopped = vi.spyOn(globalThis, 'clearInterval')
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    const { app, hub } = eventsApp()
    await serve(app)
    started.mockClear()
    await connect(app, '/events')
    await hub.close()
    const ended = new Set(stopped.mock.calls.map(([timer]) => timer))
    expect(started).toHaveBeenCalled()
    for (const { value } of started.mock.results) expect(ended).toContain(value)
    expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })
})

describe('the ends of many streams', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Streams that note when they were sent away. */
  const streams = (count: number, options: { readonly stuck?: boolean } = {}) => {
    const began = Date.now()
    const ends: number[] = []
    const cuts: number[] = []
    const all = Array.from({ length: count }, () => {
      let over = (): void => {}
      const closed = new Promise<void>((resolve) => {
        over = resolve
      })
      return {
        closed,
        retire: vi.fn(),
        disconnect() {
          ends.push(Date.now() - began)
          if (!options.stuck) over()
        },
        destroy() {
          cuts.push(Date.now() - began)
          over()
        },
      }
    })
    return { all, ends, cuts }
  }

  it.each([1, 3, 10, 999, 20_000])('are spread over the window: %i of them', async (count) => {
    const { all, ends } = streams(count)
    const closing = closeStreams(all, 10_000, () => 2_000)
    await vi.advanceTimersByTimeAsync(10_000)
    await closing
    expect(ends).toHaveLength(count)
    expect(ends.at(-1)).toBeLessThan(9_600)
    if (count > 1) expect(ends.at(-1)).toBeGreaterThan(5_000)
    const moments = new Set(ends).size
    expect(moments).toBeGreaterThanOrEqual(Math.min(count, 300))
  })

  it('come after the last word on when to come back, which is said to all at once', async () => {
    const { all } = streams(5)
    const closing = closeStreams(all, 5_000, () => 1_234)
    for (const { retire } of all) expect(retire).toHaveBeenCalledWith(1_234)
    await vi.advanceTimersByTimeAsync(5_000)
    await closing
  })

  it('are forced in time', async () => {
    const { all, cuts } = streams(5, { stuck: true })
    const closing = closeStreams(all, 2_000, () => 1)
    await vi.advanceTimersByTimeAsync(2_000)
    await closing
    expect(cuts).toEqual([2_000, 2_000, 2_000, 2_000, 2_000])
  })
})

/** A reader who takes nothing, with more on its way than the kernel takes for it. */
async function slowReader() {
  const { app, hub } = eventsApp({ history: { bytes: 30_000_000, length: 10_000 } })
  const client = await connect(app, '/events')
  await client.next('sse.live')
  client.pause()
  for (let n = 0; n < 200; n++) {
    await hub.channel('news').publish('n', 'x'.repeat(50_000))
    await new Promise((turn) => setImmediate(turn))
  }
  const [stream] = hub.streams
  if (stream === undefined) throw new Error('The reader has left.')
  return { client, hub, stream }
}

describe('closing the stream of a slow reader', () => {
  it('lets nothing through that is published afterwards', async () => {
    const { client, hub, stream } = await slowReader()
    await hub.channel('news').publish('last', null)
    stream.close('signed-out')
    await hub.channel('news').publish('secret', null)
    client.unpause()
    expect((await client.rest()).slice(-2).map(({ event }) => event)).toEqual(['last', 'sse.close'])
  })

  it('lets nothing through by a join that comes later either', async () => {
    const { client, hub, stream } = await slowReader()
    await hub.channel('news').publish('last', null)
    await hub.channel('more').publish('secret', null)
    stream.close('signed-out')
    await hub.channel('news').publish('secret', null)
    await stream.join('more', { last: 1 })
    expect(hub.channel('more').size).toBe(0)
    client.unpause()
    expect((await client.rest()).slice(-2).map(({ event }) => event)).toEqual(['last', 'sse.close'])
  })
})

describe('the end of the stream of a slow reader', () => {
  it.each<[string, (stream: Stream<AnyEvents>) => void]>([
    ['disconnect', (stream) => stream.disconnect()],
    ['close', (stream) => stream.close()],
  ])('by %s is told by signal and ready at once, and by closed when all is taken', async (_, end) => {
    const { client, hub, stream } = await slowReader()
    const { closed, ready, signal } = stream
    let over = false
    closed.then(() => {
      over = true
    })
    end(stream)
    await ready
    expect(signal.aborted).toBe(true)
    expect(stream.signal.aborted).toBe(true)
    await new Promise((turn) => setImmediate(turn))
    expect(over).toBe(false)
    expect(hub.streams.size).toBe(1)
    client.unpause()
    await closed
    expect(hub.streams.size).toBe(0)
  })

  it('is what a closing hub waits for, also where somebody looks at the signal meanwhile', async () => {
    const { hub, stream } = await slowReader()
    const closing = hub.close({ within: 50 })
    await expect.poll(() => stream.signal.aborted).toBe(true)
    await closing
    expect(hub.streams.size).toBe(0)
  })
})

describe('a window that no timer can wait for', () => {
  it('cuts nobody at once', async () => {
    const { app, hub } = eventsApp()
    const clients = await Promise.all([1, 2, 3].map(() => connect(app, '/events')))
    const closing = hub.close({ within: Number.POSITIVE_INFINITY })
    await expect.poll(() => hub.streams.size).toBe(2)
    await new Promise((turn) => setTimeout(turn, 1))
    expect(hub.streams.size).toBe(2)
    for (const client of clients) await client.drop()
    await closing
  })
})
