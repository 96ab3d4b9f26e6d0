import { type AnyEvents, defineEvents, text } from '@sse/contract'
import { memoryBroker, type Stream } from '@sse/express'
import { connect } from '@sse/express/testing'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { bareApp, eventsApp } from './app.ts'
import { gatedBroker } from './gated-broker.ts'

describe('limits.streams', () => {
  it('refuses one stream too many with 503 and Retry-After, and leaves the others alone', async () => {
    const { app, hub } = eventsApp({ limits: { streams: 2 }, retry: 3_000 })
    const streams = [await connect(app, '/events'), await connect(app, '/events')]
    const refused = await connect(app, '/events')
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '3' } })
    await hub.channel('news').publish('n', 1)
    for (const stream of streams) expect((await stream.next('n')).json).toBe(1)
  })

  it('frees the place of a stream that left, however it ended', async () => {
    const { app, hub } = eventsApp({ limits: { streams: 1 } })
    for (const end of ['drop', 'close', 'disconnect'] as const) {
      const client = await connect(app, '/events')
      expect(client.status).toBe(200)
      const [stream] = hub.streams
      if (end === 'drop') await client.drop()
      else stream?.[end]()
      await client.ended
      await expect.poll(() => hub.stats().streams).toBe(0)
    }
  })

  it('frees the place of a join that failed, so that failures do not add up', async () => {
    const broker = gatedBroker()
    const { app, hub } = eventsApp({ limits: { streams: 1 }, broker })
    for (let n = 0; n < 3; n++) {
      const connecting = connect(app, '/events')
      await expect.poll(() => broker.waiting).toEqual(['attach'])
      broker.pass(new Error('broker away'))
      expect((await connecting).status).toBe(500)
      expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    }
    broker.open()
    expect((await connect(app, '/events')).status).toBe(200)
  })

  it.each<[string, (stream: Stream<AnyEvents>) => Promise<void>]>([
    ['join', (stream) => stream.join('news')],
    ['sendAll', (stream) => stream.sendAll('n', [1])],
  ])('answers by itself where nobody awaits the %s', async (_, act) => {
    const { app, errors } = bareApp({ limits: { streams: 0 } })
    app.get('/events', (_, res) => void act(res.sse))
    await request(app).get('/events').expect(503).expect('retry-after', '2')
    // NestJS answers with `statusCode`.
    expect(errors).toMatchObject([{ code: 'ERR_SSE_TOO_MANY_STREAMS', status: 503, statusCode: 503 }])
  })

  it('refuses a send as well, which the handler can catch', async () => {
    const { app } = bareApp({ limits: { streams: 0 } })
    app.get('/events', (_, res) => {
      res.sse.send('n', 1)
    })
    await request(app).get('/events').expect(503).expect('retry-after', '2')
  })
})

describe('limits.streamsPerClient', () => {
  it('counts by address, and comes back to zero however streams end', async () => {
    const { app, hub } = eventsApp({ limits: { streamsPerClient: 2 } })
    for (let round = 0; round < 3; round++) {
      const streams = [await connect(app, '/events'), await connect(app, '/events')]
      expect((await connect(app, '/events')).status).toBe(503)
      await Promise.all(streams.map((stream) => stream.drop()))
      await expect.poll(() => hub.stats().streams).toBe(0)
    }
  })

  it('counts by whatever the application says, and holds on to what it said at first', async () => {
    let calls = 0
    const { app, hub } = eventsApp({
      limits: { streamsPerClient: 1 },
      client: (req) => {
        calls += 1
        if (req.socket.destroyed) throw new Error('asked after the client left')
        return String(req.headers['x-user'])
      },
    })
    const ada = { headers: { 'x-user': 'ada' } }
    const first = await connect(app, '/events', ada)
    expect((await connect(app, '/events', ada)).status).toBe(503)
    expect((await connect(app, '/events', { headers: { 'x-user': 'bob' } })).status).toBe(200)
    await first.drop()
    await expect.poll(() => hub.stats().streams).toBe(1)
    expect((await connect(app, '/events', ada)).status).toBe(200)
    expect(calls).toBe(4)
  })

  it('counts by address who is nobody yet', async () => {
    const { app, hub } = eventsApp({ limits: { streamsPerClient: 1 }, client: () => undefined })
    app.set('trust proxy', true)
    const from = (ip: string) => connect(app, '/events', { headers: { 'x-forwarded-for': ip } })
    const first = await from('10.0.0.1')
    expect((await from('10.0.0.2')).status).toBe(200)
    expect((await from('10.0.0.1')).status).toBe(503)
    await first.drop()
    await expect.poll(() => hub.stats().streams).toBe(1)
    expect((await from('10.0.0.1')).status).toBe(200)
  })

  it('takes the address from behind a proxy that Express trusts', async () => {
    const { app } = eventsApp({ limits: { streamsPerClient: 1 } })
    app.set('trust proxy', true)
    const from = (ip: string) => connect(app, '/events', { headers: { 'x-forwarded-for': ip } })
    expect((await from('10.0.0.1')).status).toBe(200)
    expect((await from('10.0.0.2')).status).toBe(200)
    expect((await from('10.0.0.1')).status).toBe(503)
  })
})

describe('limits.channelsPerStream', () => {
  it('refuses too many at once with 400, before anything is asked of the broker', async () => {
    const broker = gatedBroker()
    const { app } = eventsApp({ broker })
    const channels = Array.from({ length: 10_000 }, (_, n) => `c${n}`)
    const { app: wide } = bareApp({ broker })
    wide.get('/events', (_, res) => res.sse.join(channels))
    await request(wide).get('/events').expect(400)
    expect(broker.waiting).toEqual([])
    broker.open()
    expect((await connect(app, '/events?channels=a,b,c')).status).toBe(200)
  })

  it('counts later joins too, and leaves the stream as it was', async () => {
    const { app, hub } = eventsApp({ limits: { channelsPerStream: 2 } })
    const client = await connect(app, '/events?channels=a,b')
    const [stream] = hub.streams
    await expect(stream?.join('c')).rejects.toMatchObject({ code: 'ERR_SSE_TOO_MANY_CHANNELS', status: 400 })
    await hub.channel('a').publish('n', 1)
    expect((await client.next('n')).json).toBe(1)
    stream?.leave('a')
    await stream?.join('c')
    expect(stream?.channels).toEqual(['b', 'c'])
  })
})

describe('limits.channelName', () => {
  it.each(['', 'x'.repeat(201)])('refuses %j with 400', async (name) => {
    const { app, hub } = bareApp()
    app.get('/events', (_, res) => res.sse.join(name))
    await request(app).get('/events').expect(400)
    expect(() => hub.channel(name)).toThrow(expect.objectContaining({ code: 'ERR_SSE_CHANNEL_NAME' }))
  })

  it('takes up to 200 characters', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => res.sse.join('x'.repeat(200)))
    expect((await connect(app, '/events')).status).toBe(200)
  })
})

describe('limits.eventBytes', () => {
  it('refuses with 413 what is published or sent, in bytes and not in characters', async () => {
    const { app, hub } = bareApp({ limits: { eventBytes: 100 } })
    const sent: unknown[] = []
    app.get('/events', (_, res) => {
      res.sse.send('n', 'x'.repeat(98))
      try {
        res.sse.send('n', '😀'.repeat(25))
      } catch (error) {
        sent.push(error)
      }
    })
    const stream = await connect(app, '/events')
    await stream.next('n')
    expect(sent).toMatchObject([{ code: 'ERR_SSE_EVENT_TOO_LARGE', status: 413 }])
    await expect(hub.channel('news').publish('n', 'x'.repeat(99))).rejects.toMatchObject({
      code: 'ERR_SSE_EVENT_TOO_LARGE',
    })
    await hub.channel('news').publish('n', 'x'.repeat(98))
  })

  it('counts the lines of a text as they are sent', async () => {
    const { hub } = bareApp({ events: defineEvents({ text: text() }), limits: { eventBytes: 100 } })
    await hub.channel('news').publish('text', '\n'.repeat(12))
    await hub.channel('news').publish('text', '\r\n'.repeat(11))
    for (const end of ['\n', '\r', '\r\n']) {
      await expect(hub.channel('news').publish('text', end.repeat(14))).rejects.toMatchObject({
        code: 'ERR_SSE_EVENT_TOO_LARGE',
      })
    }
  })

  it('counts the key of a state that is removed', async () => {
    const { hub } = bareApp({ limits: { eventBytes: 100 } })
    await expect(hub.channel('news').remove('n', 'k'.repeat(101))).rejects.toMatchObject({
      code: 'ERR_SSE_EVENT_TOO_LARGE',
    })
  })

  it('cannot exceed the bytes of a history, of which one event would push out all', () => {
    expect(() => bareApp({ history: { bytes: 1_000 }, limits: { eventBytes: 2_000 } })).toThrow(
      /raise history\.bytes or lower limits\.eventBytes/,
    )
    expect(() => bareApp({ history: { bytes: 1_000 } })).not.toThrow()
  })
})

describe('limits.replayEvents and limits.replayBytes', () => {
  it.each([
    ['events', { replayEvents: 3 }],
    ['bytes', { replayBytes: 3 * 1_030 }],
  ])('replay the newest %s and announce the rest as missing', async (_, limits) => {
    const { app, hub } = eventsApp({ limits })
    const before = await hub.cursor()
    for (let n = 1; n <= 6; n++) await hub.channel('news').publish('n', [n, 'x'.repeat(980)])
    const stream = await connect(app, '/events', { lastEventId: before })
    const events = await stream.upTo('sse.live')
    expect(events.map(({ event }) => event)).toEqual(['sse.open', 'sse.gap', 'n', 'n', 'n', 'sse.live'])
    expect(events[0]?.json).toMatchObject({ replay: 3 })
    expect(events[2]?.json).toEqual([4, expect.any(String)])
  })

  it('bound what many readers with the oldest cursor cost', async () => {
    const { app, hub } = eventsApp({ limits: { replayEvents: 1 } })
    const before = await hub.cursor()
    for (let n = 0; n < 100; n++) await hub.channel('news').publish('n', 'x'.repeat(5_000))
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => connect(app, '/events', { lastEventId: before })),
    )
    for (const stream of streams) {
      await stream.next('sse.live')
      expect(stream.raw.length).toBeLessThan(6_000)
    }
  })
})

describe('the bounds of the broker', () => {
  it('keep all channels together within its bytes: the largest is shortened, and that is announced', async () => {
    const { app, hub } = eventsApp({ broker: memoryBroker({ bytes: 50_000 }) })
    const before = await hub.cursor()
    await hub.channel('small').publish('n', 'kept')
    for (let n = 0; n < 100; n++) await hub.channel('large').publish('n', 'x'.repeat(1_000))
    const stream = await connect(app, '/events?channels=small,large', { lastEventId: before })
    const events = await stream.upTo('sse.live')
    expect(events[1]?.json).toEqual({ channels: ['large'], reason: 'evicted' })
    expect(events.filter(({ event }) => event === 'n')[0]?.json).toBe('kept')
    expect(stream.raw.length).toBeLessThan(60_000)
  })
})

describe('options', () => {
  it.each([
    [{ heartbeat: 0 }, 'heartbeat must be a number of milliseconds from 10'],
    [{ heartbeat: Number.NaN }, 'heartbeat'],
    [{ retry: Number.POSITIVE_INFINITY }, 'retry'],
    [{ retry: 2 ** 31 }, 'retry'],
    [{ stallTimeout: -1 }, 'stallTimeout'],
    [{ history: { length: -1 } }, 'history.length'],
    [{ history: { age: Number.NaN } }, 'history.age'],
    [{ limits: { streams: -1 } }, 'limits.streams'],
    [{ limits: { eventBytes: 0 } }, 'limits.eventBytes'],
    [{ limits: { channelsPerStream: 0 } }, 'limits.channelsPerStream'],
  ])('that cannot be meant are refused: %j', (options, message) => {
    expect(() => bareApp(options)).toThrow(TypeError)
    expect(() => bareApp(options)).toThrow(message)
  })

  it('drop nothing of which a reader who keeps up was not offered', async () => {
    const { app, hub } = eventsApp({ broker: memoryBroker({ bytes: 1_000 }) })
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    await hub.channel('other').publish('n', 'x'.repeat(400))
    await hub.channel('news').publish('n', 'y'.repeat(700))
    await hub.channel('news').publish('last', null)
    const events = await stream.upTo('last')
    expect(events.map(({ event }) => event)).toEqual(['n', 'last'])
  })

  it('may give each channel its own history, or none', async () => {
    const { app, hub } = eventsApp({
      broker: memoryBroker({ now: () => 0 }), // so that nothing is forgotten for its age meanwhile
      history: (channel) => (channel === 'typing' ? false : { length: channel === 'short' ? 2 : 10 }),
    })
    const before = await hub.cursor()
    for (let n = 1; n <= 4; n++) {
      for (const name of ['typing', 'short', 'long']) await hub.channel(name).publish(name, n)
    }
    const stream = await connect(app, '/events?channels=typing,short,long', { lastEventId: before })
    const events = await stream.upTo('sse.live')
    const seen = (name: string) => events.filter(({ event }) => event === name).map(({ json }) => json)
    expect(seen('short')).toEqual([3, 4])
    expect(seen('long')).toEqual([1, 2, 3, 4])
    expect(events[1]?.json).toEqual({ channels: ['typing', 'short'], reason: 'evicted' })
  })

  it.each([['false', false] as const, ['{ bytes: 0 }', { bytes: 0 }] as const])(
    'history: %s still reaches everyone who is there, a turn full of it too',
    async (_, history) => {
      const { app, hub } = eventsApp({ history })
      const stream = await connect(app, '/events')
      await stream.next('sse.live')
      for (let n = 0; n < 100; n++) void hub.channel('news').publish('n', n)
      await hub.channel('news').publish('done', null)
      const events = await stream.upTo('done')
      expect(events.filter(({ event }) => event === 'n').map(({ json }) => json)).toEqual(
        Array.from({ length: 100 }, (_, n) => n),
      )
      expect(events.map(({ event }) => event)).not.toContain('sse.gap')
    },
  )
})
