import { type AnyEvents, defineEvents, payload, state, text } from '@sse/contract'
import { memoryBroker, sse } from '@sse/express'
import { connect, stopServing, type TestStream } from '@sse/express/testing'
import express, { type ErrorRequestHandler } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bareApp, channelsOf, eventsApp } from './app.ts'
import { gatedBroker, letJoin } from './gated-broker.ts'
import { dial } from './wire.ts'

const names = (events: readonly { readonly event: string }[]): string[] => events.map(({ event }) => event)
const values = (events: readonly { readonly event: string; readonly json: unknown }[]): unknown[] =>
  events.filter(({ event }) => !event.startsWith('sse.')).map(({ json }) => json)
const upToLive = (stream: TestStream) => stream.upTo('sse.live')

describe('what stands on the wire', () => {
  it('begins with retry, sse.open and sse.live', async () => {
    const { app } = eventsApp({ heartbeat: 15_000, retry: 2_000 })
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    expect(stream.raw).toMatch(
      /^retry: \d+\n\nevent: sse\.open\ndata: \{"heartbeat":15000,"resumed":false,"replay":0\}\n\nevent: sse\.live\nid: [a-z0-9]+-0\ndata: \{\}\n\n$/,
    )
  })

  it('asks each reader to come back at another time', async () => {
    const { app } = eventsApp({ retry: 10_000 })
    const streams = await Promise.all(Array.from({ length: 10 }, () => connect(app, '/events')))
    await Promise.all(streams.map((stream) => stream.next('sse.open')))
    const times = streams.map(({ retry }) => retry)
    expect(new Set(times).size).toBeGreaterThan(5)
    for (const time of times) expect(time).toSatisfy((ms: number) => ms >= 5_000 && ms <= 15_000)
  })

  it('gives every event of a channel the same id for every reader, whose grammar needs no preflight', async () => {
    const { app, hub } = eventsApp()
    const streams = await Promise.all([connect(app, '/events'), connect(app, '/events?channels=other,news')])
    const id = await hub.channel('news').publish('headline', 1)
    expect(id).toMatch(/^[A-Za-z0-9._~-]{1,128}$/)
    for (const stream of streams) expect((await stream.next('headline')).id).toBe(id)
  })

  it('sends controls and signs of life as named events, never as messages', async () => {
    const { app } = eventsApp({ heartbeat: 20 })
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    await stream.next('sse.live')
    expect(names(stream.all())).not.toContain('message')
  })
})

describe('send', () => {
  it.each([0, '', false, null, [], {}, 'a\nb\r\nc', 'ünïcödé 😀'])('carries %j unchanged', async (value) => {
    const { app } = bareApp()
    app.get('/events', (_, res) => {
      res.sse.send('value', value)
    })
    const stream = await connect(app, '/events')
    expect((await stream.next('value')).json).toEqual(value)
  })

  it.each([0, '', false, null])('publishes %j unchanged', async (value) => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events')
    await hub.channel('news').publish('value', value)
    expect((await stream.next('value')).json).toEqual(value)
  })

  it('keeps multi-byte text whole, whatever the chunks and slices', async () => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events')
    const long = '😀ü'.repeat(40_000)
    await hub.channel('news').publish('long', long)
    expect((await stream.next('long')).json).toBe(long)
  })

  it('sends text as it is, its lines kept', async () => {
    const events = defineEvents({ token: text() })
    const { app, hub } = bareApp({ events })
    app.get('/events', (_, res) => {
      hub.stream(res).send('token', 'a\nb\rc\r\nd')
    })
    const stream = await connect(app, '/events')
    expect((await stream.next('token')).data).toBe('a\nb\nc\nd')
  })

  it('is private: it has no id, reaches nobody else and is not replayed', async () => {
    const { app, hub } = eventsApp()
    const mine = await connect(app, '/events')
    const yours = await connect(app, '/events')
    await upToLive(mine)
    const [stream] = hub.streams
    stream?.send('secret', 1)
    expect(await mine.next('secret')).toMatchObject({ id: mine.lastEventId })
    expect(mine.raw).not.toMatch(/event: secret\nid:/)
    await hub.channel('news').publish('marker', null)
    await yours.next('marker')
    expect(names(yours.all())).not.toContain('secret')
    await mine.drop()
    const again = await mine.resume()
    await again.next('sse.live')
    expect(names(again.all())).not.toContain('secret')
  })

  it('keeps the order of private and channel events', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (_, res) => {
      res.sse.send('n', 0)
      await res.sse.join(['a', 'b'])
      res.sse.send('n', 1)
      void hub.channel('a').publish('n', 2)
      res.sse.send('n', 3)
      void hub.channel('b').publish('n', 4)
      void hub.channel('a').publish('n', 5)
      res.sse.send('n', 6)
      res.sse.close()
    })
    const stream = await connect(app, '/events')
    expect(values(await stream.upTo('sse.close'))).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('takes a later private event after what was published before it, also on a stream that left', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (_, res) => {
      await res.sse.join('a')
      void hub.channel('a').publish('n', 'left behind')
      res.sse.send('n', 'private')
      res.sse.leave('a')
    })
    const stream = await connect(app, '/events')
    expect((await stream.next('n')).json).toBe('private')
  })

  it('returns false once the reader is gone, and throws nothing', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    const [stream] = hub.streams
    await client.drop()
    await stream?.closed
    expect(stream?.send('late', 1)).toBe(false)
    expect(stream?.comment('late')).toBe(false)
  })

  it('may be called in a disconnect listener', async () => {
    const { app, hub, errors } = eventsApp()
    const sent: boolean[] = []
    hub.on('disconnect', (stream) => sent.push(stream.send('bye', null)))
    const client = await connect(app, '/events')
    await client.drop()
    await expect.poll(() => sent).toEqual([false])
    expect(hub.stats().streams).toBe(0)
    expect(errors).toEqual([])
  })

  it('may be called in a connect listener, and comes after sse.open', async () => {
    const { app, hub } = bareApp()
    app.get('/joined', (_, res) => res.sse.join('news'))
    app.get('/sent', (_, res) => {
      res.sse.send('second', null)
    })
    hub.on('connect', (stream) => {
      stream.send('first', 'x'.repeat(100_000))
    })
    const joined = await connect(app, '/joined')
    expect(names(await joined.upTo('first'))[0]).toBe('sse.open')
    const sent = await connect(app, '/sent')
    expect(names(await sent.upTo('second'))).toEqual(['sse.open', 'first', 'second'])
  })
})

describe('a first join', () => {
  it('starts with what is published from now on', async () => {
    const { app, hub } = eventsApp()
    await hub.channel('news').publish('headline', 'before')
    const stream = await connect(app, '/events')
    await hub.channel('news').publish('headline', 'after')
    expect((await stream.next('headline')).json).toBe('after')
  })

  it('gives with last the newest of each channel, in order', async () => {
    const { app, hub } = eventsApp()
    for (let n = 1; n <= 6; n++) await hub.channel(n % 2 ? 'odd' : 'even').publish('n', n)
    const stream = await connect(app, '/events?channels=odd,even&last=2')
    expect(values(await upToLive(stream))).toEqual([3, 4, 5, 6])
    expect(stream.all()[0]?.json).toMatchObject({ resumed: false, replay: 4 })
  })

  it('gives with last: Infinity all that is retained, after a gap if there was more', async () => {
    const { app, hub } = eventsApp({ history: { length: 2 } })
    for (let n = 1; n <= 2; n++) await hub.channel('news').publish('n', n)
    const whole = await connect(app, '/events?last=Infinity')
    expect(names(await upToLive(whole))).toEqual(['sse.open', 'n', 'n', 'sse.live'])
    await hub.channel('news').publish('n', 3)
    const cut = await connect(app, '/events?last=Infinity')
    expect(names(await upToLive(cut))).toEqual(['sse.open', 'sse.gap', 'n', 'n', 'sse.live'])
  })

  it('answers once the broker has acknowledged it, so that nothing published later is missed', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      await hub.channel('news').publish('n', 1)
    })
    const stream = await connect(app, '/events')
    expect((await stream.next('n')).json).toBe(1)
  })

  it('takes effect at once where the broker answers at once: what the handler publishes next is heard', async () => {
    const { app, hub } = bareApp()
    app.get('/events', (_, res) => {
      void res.sse.join('news')
      expect(res.sse.channels).toEqual(['news'])
      void hub.channel('news').publish('n', 1)
    })
    const stream = await connect(app, '/events')
    expect((await stream.next('n')).json).toBe(1)
  })

  it('sends the head together with the first events', async () => {
    const { app } = eventsApp()
    const wire = await dial(app)
    wire.request('GET', '/events')
    await wire.until('sse.live')
    expect(wire.chunks[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n.*event: sse\.live\n/s)
  })

  it('may be made, extended and left in a connect listener', async () => {
    const { app, hub } = bareApp()
    const joined: Promise<void>[] = []
    hub.on('connect', (stream) => {
      joined.push(stream.join('more'))
      stream.leave('news')
    })
    app.get('/events', (_, res) => res.sse.join('news'))
    const stream = await connect(app, '/events')
    await Promise.all(joined)
    expect([...hub.streams].map(({ channels }) => channels)).toEqual([['more']])
    expect([hub.channel('news').size, hub.channel('more').size]).toEqual([0, 1])
    await hub.channel('news').publish('n', 'left')
    await hub.channel('more').publish('n', 'heard')
    expect((await stream.next('n')).json).toBe('heard')
    for (const joinedStream of hub.streams) joinedStream.close()
    await expect.poll(() => hub.stats()).toMatchObject({ channels: 0, streams: 0 })
  })

  it('leaves an error that comes later to Express, which cuts the connection', async () => {
    const { app, hub } = bareApp()
    app.get('/events', (_, res, next) => {
      void res.sse.join('news')
      res.sse.closed.then(() => left.push('closed'))
      setImmediate(() => next(new Error('later')))
    })
    const left: string[] = []
    app.use(((_error, _req, res, next) => {
      left.push(`headers sent: ${res.headersSent}`)
      next(new Error('to the default handler'))
    }) satisfies ErrorRequestHandler)
    app.set('env', 'test')
    const stream = await connect(app, '/events')
    await stream.ended
    await expect.poll(() => left).toEqual(['headers sent: true', 'closed'])
    expect(hub.stats().streams).toBe(0)
  })

  it('may come after private events, and still resumes', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (_, res) => {
      res.sse.send('welcome', null)
      await res.sse.ready
      await res.sse.join('news')
    })
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    await stream.drop()
    await hub.channel('news').publish('n', 1)
    const again = await stream.resume()
    expect((await again.next('n')).json).toBe(1)
    expect(names(again.all()).filter((name) => name === 'sse.open')).toHaveLength(1)
  })

  it('of the same channel twice is one join', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (_, res) => {
      await res.sse.join(['news', 'news'])
      await res.sse.join('news')
    })
    const stream = await connect(app, '/events')
    await upToLive(stream)
    await hub.channel('news').publish('n', 1)
    await hub.channel('news').publish('marker', null)
    expect(values(await stream.upTo('marker'))).toEqual([1, null])
    expect(hub.channel('news').size).toBe(1)
  })
})

describe('resuming', () => {
  it('replays what was missed, once and in order, then says sse.live with the position reached', async () => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events?channels=a,b')
    await hub.channel('a').publish('n', 1)
    await stream.next('n')
    await stream.drop()
    await hub.channel('b').publish('n', 2)
    await hub.channel('a').publish('n', 3)
    const last = await hub.channel('b').publish('n', 4)
    const again = await stream.resume()
    const events = await upToLive(again)
    expect(values(events)).toEqual([2, 3, 4])
    expect(events[0]).toMatchObject({ event: 'sse.open', id: stream.lastEventId })
    expect(events[0]?.json).toMatchObject({ resumed: true, replay: 3 })
    expect(events.at(-1)).toMatchObject({ event: 'sse.live', id: last })
  })

  it('works after a drop before the first event: the cursor comes with sse.live', async () => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    await stream.drop()
    await hub.channel('news').publish('n', 1)
    const again = await stream.resume()
    expect((await again.next('n')).json).toBe(1)
  })

  it('works after a drop between sse.open and the replay: sse.open has no id beyond the cursor', async () => {
    const { app, hub } = eventsApp()
    const before = await hub.cursor()
    await hub.channel('news').publish('n', 1)
    await hub.channel('news').publish('n', 2)
    const stream = await connect(app, '/events', { lastEventId: before })
    const open = await stream.next('sse.open')
    expect(open.id).toBe(before)
    const again = await connect(app, '/events', { lastEventId: open.id })
    expect(values(await upToLive(again))).toEqual([1, 2])
  })

  it('works after a drop at every event of the replay', async () => {
    const { app, hub } = eventsApp()
    const before = await hub.cursor()
    for (let n = 1; n <= 5; n++) await hub.channel(n % 2 ? 'a' : 'b').publish('n', n)
    const whole = await upToLive(await connect(app, '/events?channels=a,b', { lastEventId: before }))
    for (const [index, { id }] of whole.entries()) {
      const seen = values(whole.slice(0, index + 1))
      const rest = await upToLive(await connect(app, '/events?channels=a,b', { lastEventId: id }))
      expect([...seen, ...values(rest)]).toEqual([1, 2, 3, 4, 5])
    }
  })

  it('delivers in order and once what is published during the replay', async () => {
    const { app, hub } = eventsApp()
    const before = await hub.cursor()
    for (let n = 0; n < 500; n++) await hub.channel('news').publish('n', [n, 'x'.repeat(1_000)])
    const connecting = connect(app, '/events', { lastEventId: before })
    for (let n = 500; n < 600; n++) {
      await new Promise((resolve) => setImmediate(resolve))
      await hub.channel('news').publish('n', [n, 'x'.repeat(1_000)])
    }
    await hub.channel('news').publish('done', null)
    const stream = await connecting
    const seen = (await stream.upTo('done')).filter(({ event }) => event === 'n')
    expect(seen.map(({ json }) => (json as [number])[0])).toEqual(Array.from({ length: 600 }, (_, n) => n))
    expect(names(stream.all())).not.toContain('sse.gap')
  })

  it('takes the cursor from the query where no header can be set; the header wins', async () => {
    const { app, hub } = eventsApp()
    const first = await hub.cursor()
    await hub.channel('news').publish('n', 1)
    const second = await hub.cursor()
    await hub.channel('news').publish('n', 2)
    const query = await connect(app, `/events?lastEventId=${first}`)
    expect(values(await upToLive(query))).toEqual([1, 2])
    const both = await connect(app, `/events?lastEventId=${first}`, { lastEventId: second })
    expect(values(await upToLive(both))).toEqual([2])
  })

  it('needs no state of the former connection: hub.cursor() serves a rendered page', async () => {
    const { app, hub } = eventsApp()
    await hub.channel('news').publish('n', 'in the page')
    const cursor = await hub.cursor()
    await hub.channel('news').publish('n', 'after the query')
    const stream = await connect(app, '/events', { lastEventId: cursor })
    expect(values(await upToLive(stream))).toEqual(['after the query'])
  })

  it('lets everyone come back at once without a gap or a duplicate', async () => {
    const { app, hub } = eventsApp()
    const streams = await Promise.all(Array.from({ length: 30 }, () => connect(app, '/events')))
    await Promise.all(streams.map(upToLive))
    await Promise.all(streams.map((stream) => stream.drop()))
    await hub.channel('news').publish('n', 1)
    await hub.channel('news').publish('n', 2)
    const again = await Promise.all(streams.map((stream) => stream.resume()))
    for (const stream of again) {
      const events = await upToLive(stream)
      expect(names(events)).toEqual(['sse.open', 'n', 'n', 'sse.live'])
    }
  })
})

describe('a gap', () => {
  it('is announced first, where events after the cursor were evicted; then comes what is left', async () => {
    const { app, hub } = eventsApp({ history: { length: 2 } })
    const before = await hub.cursor()
    for (let n = 1; n <= 5; n++) await hub.channel('news').publish('n', n)
    const stream = await connect(app, '/events?channels=news,quiet', { lastEventId: before })
    const events = await upToLive(stream)
    expect(names(events)).toEqual(['sse.open', 'sse.gap', 'n', 'n', 'sse.live'])
    expect(events[1]).toMatchObject({ id: before })
    expect(events[1]?.json).toEqual({ channels: ['news'], reason: 'evicted' })
    expect(stream.raw).not.toMatch(/event: sse\.gap\nid:/)
    expect(values(events)).toEqual([4, 5])
    expect(hub.stats().gaps).toBe(1)
  })

  it('is announced where events grew too old', async () => {
    let now = 0
    const { app, hub } = eventsApp({ history: { age: 1_000 }, broker: memoryBroker({ now: () => now }) })
    const before = await hub.cursor()
    await hub.channel('news').publish('n', 1)
    now = 5_000
    const stream = await connect(app, '/events', { lastEventId: before })
    expect(names(await upToLive(stream))).toEqual(['sse.open', 'sse.gap', 'sse.live'])
  })

  it('is not announced to a cursor that has had all that was evicted', async () => {
    const { app, hub } = eventsApp({ history: { length: 2 } })
    await hub.channel('news').publish('n', 1)
    const before = await hub.cursor()
    await hub.channel('news').publish('n', 2)
    await hub.channel('news').publish('n', 3)
    const stream = await connect(app, '/events', { lastEventId: before })
    expect(names(await upToLive(stream))).toEqual(['sse.open', 'n', 'n', 'sse.live'])
  })

  it('is announced for all channels to a cursor of another epoch, which then gets all that is retained', async () => {
    const former = eventsApp()
    await former.hub.channel('a').publish('n', 'lost')
    const cursor = await former.hub.cursor()
    const { app, hub } = eventsApp()
    await hub.channel('a').publish('n', 1)
    await hub.channel('b').publish('n', 2)
    const stream = await connect(app, '/events?channels=a,b', { lastEventId: cursor })
    const events = await upToLive(stream)
    expect(names(events)).toEqual(['sse.open', 'sse.gap', 'n', 'n', 'sse.live'])
    expect(events[0]?.json).toMatchObject({ resumed: false, replay: 2 })
    expect(events[1]?.json).toEqual({ channels: ['a', 'b'], reason: 'epoch' })
  })

  it('tells the hub who missed what', async () => {
    const { app, hub } = eventsApp({ history: { length: 1 } })
    const gaps: unknown[] = []
    hub.on('gap', (_, gap) => gaps.push(gap))
    const before = await hub.cursor()
    await hub.channel('news').publish('n', 1)
    await hub.channel('news').publish('n', 2)
    const stream = await connect(app, '/events', { lastEventId: before })
    await upToLive(stream)
    expect(gaps).toEqual([{ channels: ['news'], reason: 'evicted' }])
  })

  it('of a noisy channel leaves a quiet one intact', async () => {
    const { app, hub } = eventsApp({ history: { length: 10 } })
    const before = await hub.cursor()
    await hub.channel('quiet').publish('n', 'kept')
    for (let n = 0; n < 100; n++) await hub.channel('noisy').publish('n', n)
    const stream = await connect(app, '/events?channels=quiet', { lastEventId: before })
    expect(values(await upToLive(stream))).toEqual(['kept'])
    expect(names(stream.all())).not.toContain('sse.gap')
  })
})

describe('a channel set that changed between connects', () => {
  it('makes no false gap on the channels that were kept, nor on new ones', async () => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events?channels=a,b')
    await hub.channel('a').publish('n', 1)
    await stream.next('n')
    await stream.drop()
    await hub.channel('b').publish('n', 2)
    await hub.channel('c').publish('n', 3)
    const again = await connect(app, '/events?channels=b,c', { lastEventId: stream.lastEventId })
    expect(names(await upToLive(again))).toEqual(['sse.open', 'n', 'n', 'sse.live'])
    expect(values(again.all())).toEqual([2, 3])
  })
})

describe('a later join', () => {
  const lateJoin = (last?: number) => {
    const made = bareApp()
    made.app.get('/events', async (req, res) => {
      await res.sse.join('first')
      await res.sse.join(channelsOf(req), last === undefined ? {} : { last })
    })
    return made
  }

  it('starts now', async () => {
    const { app, hub } = lateJoin()
    await hub.channel('late').publish('n', 'before')
    const stream = await connect(app, '/events?channels=late')
    await expect.poll(() => hub.channel('late').size).toBe(1)
    await hub.channel('late').publish('n', 'after')
    expect((await stream.next('n')).json).toBe('after')
    expect(names(stream.all())).not.toContain('sse.gap')
  })

  it('gives with last the newest, without ids: an id vouches for the channels of the first join', async () => {
    const { app, hub } = lateJoin(2)
    for (let n = 1; n <= 3; n++) await hub.channel('late').publish('n', n)
    const stream = await connect(app, '/events?channels=late')
    expect([(await stream.next('n')).json, (await stream.next('n')).json]).toEqual([2, 3])
    expect(stream.raw).not.toMatch(/id: [^\n]*\nevent: n\n|event: n\nid:/)
  })

  it('on a resumed stream is announced as a gap with the reason joined', async () => {
    const { app, hub } = lateJoin()
    const stream = await connect(app, '/events?channels=late')
    await stream.next('sse.live')
    await stream.drop()
    await hub.channel('late').publish('n', 'missed')
    const again = await stream.resume()
    expect((await again.next('sse.gap')).json).toEqual({ channels: ['late'], reason: 'joined' })
  })

  it('begins with the states of the channel', async () => {
    const events = defineEvents({ quote: state<{ symbol: string; price: number }>((quote) => quote.symbol) })
    const { app, hub } = bareApp({ events })
    app.get('/events', async (_, res) => {
      const stream = hub.stream(res)
      await stream.join('first')
      await stream.join('quotes')
    })
    await hub.channel('quotes').publish('quote', { symbol: 'A', price: 1 })
    const stream = await connect(app, '/events')
    expect((await stream.next('quote')).json).toEqual({ symbol: 'A', price: 1 })
  })
})

describe('a later join that waits for the broker', () => {
  async function waiting(options: { heartbeat?: number } = {}) {
    const broker = gatedBroker()
    const { app, hub } = eventsApp({ broker, ...options })
    const opened = connect(app, '/events')
    await letJoin(broker)
    const client = await opened
    await client.next('sse.live')
    const [stream] = hub.streams
    const joined = stream?.join('late').then(
      () => 'joined',
      () => 'failed',
    )
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    return { broker, client, hub, joined, stream }
  }

  it('holds nothing back: events, private ones, signs of life', async () => {
    const { broker, client, hub, joined, stream } = await waiting({ heartbeat: 20 })
    await hub.channel('news').publish('n', 1)
    expect((await client.next('n')).json).toBe(1)
    expect(stream?.send('private', 2)).toBe(true)
    expect((await client.next('private')).json).toBe(2)
    await client.next('sse.live')
    broker.open()
    expect(await joined).toBe('joined')
    await hub.channel('late').publish('n', 3)
    expect((await client.next('n')).json).toBe(3)
  })

  it('loses nothing of a burst longer than the history', async () => {
    const { broker, client, hub } = await waiting()
    for (let n = 1; n <= 5_000; n++) void hub.channel('news').publish('n', n)
    void hub.channel('news').publish('last', null)
    const events = await client.upTo('last')
    expect(values(events)).toEqual([...Array.from({ length: 5_000 }, (_, n) => n + 1), null])
    expect(names(client.all())).not.toContain('sse.gap')
    broker.open()
  })

  it('keeps the stream from ending with its channels', async () => {
    const { broker, client, hub, joined, stream } = await waiting()
    await hub.channel('news').end('over')
    stream?.send('after the end', null)
    await client.next('after the end')
    broker.open()
    expect(await joined).toBe('joined')
    await hub.channel('late').publish('n', 1)
    expect((await client.next('n')).json).toBe(1)
    await hub.channel('late').end('all over')
    expect((await client.next('sse.close')).json).toEqual({ reason: 'all over' })
    expect(names(client.all()).filter((name) => name === 'sse.close')).toHaveLength(1)
  })

  it('lets the stream end with its channels once it has failed', async () => {
    const { broker, client, hub, joined, stream } = await waiting()
    await hub.channel('news').end('over')
    stream?.send('after the end', null)
    await client.next('after the end')
    broker.pass(new Error('the broker'))
    expect(await joined).toBe('failed')
    expect((await client.next('sse.close')).json).toEqual({ reason: 'over' })
  })
})

describe('leave', () => {
  it('stops delivery, drops what is not written yet, and frees the channel', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events?channels=a,b')
    await upToLive(client)
    const [stream] = hub.streams
    void hub.channel('a').publish('n', 'dropped')
    stream?.leave('a')
    await hub.channel('a').publish('n', 'unheard')
    await hub.channel('b').publish('n', 'heard')
    expect((await client.next('n')).json).toBe('heard')
    expect(hub.channel('a').size).toBe(0)
    expect(stream?.channels).toEqual(['b'])
  })

  it('lets a rejoin be a later join: what was published in between is not delivered', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events?channels=a,b')
    await upToLive(client)
    const [stream] = hub.streams
    stream?.leave(['a'])
    await hub.channel('a').publish('n', 'between')
    await stream?.join('a')
    await hub.channel('a').publish('n', 'again')
    expect((await client.next('n')).json).toBe('again')
  })

  it('of a channel that was never joined is nothing', async () => {
    const { app, hub } = eventsApp()
    await connect(app, '/events')
    const [stream] = hub.streams
    stream?.leave(['elsewhere', 'nowhere'])
    expect(hub.channel('news').size).toBe(1)
  })

  it('of all channels leaves a stream that still takes private events and stays alive', async () => {
    const { app, hub } = eventsApp({ heartbeat: 20 })
    const client = await connect(app, '/events')
    await upToLive(client)
    const [stream] = hub.streams
    void hub.channel('news').publish('n', 'dropped')
    stream?.leave('news')
    stream?.send('private', 1)
    expect((await client.next('private')).json).toBe(1)
    await client.next('sse.live')
    expect(names(client.all())).not.toContain('n')
  })
})

describe('state', () => {
  const events = defineEvents({
    counter: state<number>(),
    quote: state<{ symbol: string; price: number }>((quote) => quote.symbol),
    note: payload<string>(),
  })
  const board = (history = {}) => {
    const { app, hub } = bareApp({ events, history })
    app.get('/events', (_, res) => hub.stream(res).join('board'))
    return { app, hub, board: hub.channel('board') }
  }

  it('reaches a first-time reader: the newest of each key, and no other events', async () => {
    const { app, board: channel } = board()
    await channel.publish('counter', 1)
    await channel.publish('note', 'old')
    await channel.publish('quote', { symbol: 'A', price: 1 })
    await channel.publish('quote', { symbol: 'B', price: 2 })
    await channel.publish('quote', { symbol: 'A', price: 3 })
    await channel.publish('counter', 2)
    const stream = await connect(app, '/events')
    expect(values(await upToLive(stream))).toEqual([{ symbol: 'B', price: 2 }, { symbol: 'A', price: 3 }, 2])
  })

  it('skips for a returning reader what was superseded, without a gap', async () => {
    const { app, board: channel } = board()
    const stream = await connect(app, '/events')
    await upToLive(stream)
    await stream.drop()
    for (let n = 0; n < 50; n++) await channel.publish('counter', n)
    const again = await stream.resume()
    expect(names(await upToLive(again))).toEqual(['sse.open', 'counter', 'sse.live'])
    expect(values(again.all())).toEqual([49])
  })

  it('comes after a gap as well, however old it is', async () => {
    const { app, board: channel, hub } = board({ length: 2 })
    await channel.publish('counter', 7)
    await channel.publish('note', 'had')
    const before = await hub.cursor()
    for (let n = 0; n < 5; n++) await channel.publish('note', String(n))
    const stream = await connect(app, '/events', { lastEventId: before })
    expect(names(await upToLive(stream))).toContain('sse.gap')
    const lost = await connect(app, '/events', { lastEventId: 'another-5' })
    expect(values(await upToLive(lost))).toEqual([7, '3', '4'])
  })

  it('is void once it is removed: readers are told, later ones do not get it', async () => {
    const { app, board: channel } = board()
    await channel.publish('quote', { symbol: 'A', price: 1 })
    await channel.publish('quote', { symbol: 'B', price: 2 })
    const stream = await connect(app, '/events')
    await upToLive(stream)
    await channel.remove('quote', 'A')
    expect((await stream.next('sse.remove')).json).toEqual({ event: 'quote', key: 'A' })
    const later = await connect(app, '/events')
    expect(values(await upToLive(later))).toEqual([{ symbol: 'B', price: 2 }])
  })

  it('is removed with its key, and without one if it has none: else nobody is told', async () => {
    const { board: channel, hub } = board()
    await channel.publish('quote', { symbol: 'A', price: 1 })
    const before = await hub.cursor()
    await expect(channel.remove('quote')).rejects.toMatchObject({ code: 'ERR_SSE_KEY' })
    await expect(channel.remove('counter', 'A')).rejects.toThrow("'counter' is state without keys")
    expect(await hub.cursor()).toBe(before)
    await channel.remove('counter')
  })

  it('compacts within a turn too: a reader who could not be served in between gets the newest', async () => {
    const { app, board: channel } = board()
    const stream = await connect(app, '/events')
    await upToLive(stream)
    for (let n = 0; n < 100; n++) void channel.publish('counter', n)
    await channel.publish('note', 'marker')
    const seen = values(await stream.upTo('note'))
    expect(seen.at(-2)).toBe(99)
    expect(seen.length).toBeLessThan(10)
  })
})

describe('a turn of the event loop', () => {
  it('is one write, however many events it brought', async () => {
    const { app, hub } = eventsApp()
    const wire = await dial(app)
    wire.request('GET', '/events')
    const opening = (await wire.until('data: {}\n\n\r\n')).length
    for (let n = 0; n < 50; n++) void hub.channel('news').publish('n', n)
    await hub.channel('news').publish('done', null)
    const chunked = (await wire.until('event: done')).slice(opening)
    expect(chunked.match(/(?:^|\r\n)[0-9a-f]+\r\n/g)).toHaveLength(1)
  })

  it('is one write also where every event pushes one out of a full history', async () => {
    const { app, hub } = eventsApp({ history: { length: 100 } })
    for (let n = 0; n < 150; n++) await hub.channel('news').publish('n', n)
    const wire = await dial(app)
    wire.request('GET', '/events')
    const opening = (await wire.until('data: {}\n\n\r\n')).length
    for (let n = 0; n < 50; n++) void hub.channel('news').publish('n', n)
    await hub.channel('news').publish('done', null)
    const chunked = (await wire.until('event: done')).slice(opening)
    expect(chunked.match(/(?:^|\r\n)[0-9a-f]+\r\n/g)).toHaveLength(1)
    // What the turn itself would push out is offered before: two writes, and nothing is missing.
    const before = wire.text.length
    for (let n = 0; n < 150; n++) void hub.channel('news').publish('m', n)
    await hub.channel('news').publish('over', null)
    const all = (await wire.until('event: over')).slice(before)
    expect(all.match(/event: m\n/g)).toHaveLength(150)
    expect(all).not.toContain('sse.gap')
  })
})

describe('what a handler knows of its reader', () => {
  it('is the last event id, the locals, the channels and the hub', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (req, res) => {
      res.sse.locals.user = req.query.user
      res.sse.send('id', res.sse.lastEventId ?? null)
      await res.sse.join(['a', 'b'])
    })
    const stream = await connect(app, '/events?user=ada', { lastEventId: 'whatever-1' })
    expect((await stream.next('id')).json).toBe('whatever-1')
    await expect.poll(() => hub.channel('b').size).toBe(1)
    const [seen] = hub.streams
    expect(seen?.locals).toEqual({ user: 'ada' })
    expect(seen?.channels).toEqual(['a', 'b'])
    expect(seen?.hub).toBe(hub)
  })

  it('is that it left: signal aborts and closed resolves, each also when asked for afterwards', async () => {
    const { app } = bareApp()
    const left: boolean[] = []
    app.get('/events', async (_, res) => {
      const { closed, signal } = res.sse
      res.sse.send('hello', null)
      await closed
      await res.sse.closed
      left.push(signal.aborted, res.sse.signal.aborted)
    })
    const stream = await connect(app, '/events')
    await stream.next('hello')
    await stream.drop()
    await expect.poll(() => left).toEqual([true, true])
  })

  it('is told without AbortSignal.any, which leaks: one controller, made only when asked for', async () => {
    const { app, hub } = eventsApp()
    await connect(app, '/events')
    const [stream] = hub.streams
    expect(stream?.signal).toBe(stream?.signal)
  })
})

describe('many hubs', () => {
  it('keep their readers apart', async () => {
    const app = express()
    const one = sse<AnyEvents>()
    const two = sse<AnyEvents>()
    app.get('/one', one, (_, res) => res.sse.join('news'))
    app.get('/two', two, (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    const first = await connect(app, '/one')
    const second = await connect(app, '/two')
    await one.channel('news').publish('n', 1)
    await two.channel('news').publish('n', 2)
    expect((await first.next('n')).json).toBe(1)
    expect((await second.next('n')).json).toBe(2)
  })
})
