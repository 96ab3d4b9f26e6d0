import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { AnyEvents } from '@sse/contract'
import { type Broker, memoryBroker, type Stream } from '@sse/express'
import { connect } from '@sse/express/testing'
import express from 'express'
import express4 from 'express-4'
import { describe, expect, it, vi } from 'vitest'
import type { BrokerSink } from '../src/broker.ts'
import { bareApp, eventsApp } from './app.ts'
import { gatedBroker, letJoin } from './gated-broker.ts'
import { dial } from './wire.ts'

describe('a join whose listeners act at once', () => {
  it('that is left in a connect listener leaves nobody behind beside the other readers of the channel', async () => {
    const { app, hub } = eventsApp()
    const other = await connect(app, '/events')
    await other.next('sse.live')
    const off = hub.on('connect', (stream) => stream.leave('news'))
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    off()
    expect(hub.channel('news').size).toBe(1)
    await hub.channel('news').publish('n', 1)
    expect((await other.next('n')).json).toBe(1)
    await other.drop()
    await expect.poll(() => hub.stats().streams).toBe(1)
    expect(hub.stats().channels).toBe(0)
  })

  it.each<[string, (stream: Stream<AnyEvents>, response: ServerResponse) => void]>([
    ['disconnect', (stream) => stream.disconnect()],
    ['close', (stream) => stream.close()],
    ['end of the response', (_, response) => response.end()],
    ['destruction of the response', (_, response) => response.destroy()],
    [
      'failure',
      () => {
        throw new Error('a listener')
      },
    ],
  ])('leaves nothing behind, nor the connection held, after its %s', async (_, act) => {
    const { app, hub } = bareApp()
    let response: ServerResponse | undefined
    const off = hub.on('connect', (stream) => response && act(stream, response))
    app.get('/events', async (_, res) => {
      response = res
      await res.sse.join(['news', 'more'])
      res.sse.close()
    })
    app.get('/next', (_, res) => void res.send('the next answer'))
    const wire = await dial(app)
    wire.request('GET', '/events')
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    off()
    const next = wire.socket.closed ? await dial(app) : wire
    next.request('GET', '/next')
    if (!next.socket.closed) await next.until('the next answer').catch(() => {})
    expect(next.text + (response?.destroyed ? 'the next answer' : '')).toContain('the next answer')
  })
})

describe('a reader who is sent away while a broker answers at once', () => {
  it.each<[string, (stream: Stream<AnyEvents>, response: ServerResponse) => void]>([
    ['disconnect', (stream) => stream.disconnect()],
    ['destruction of the response', (_, response) => response.destroy()],
  ])('by %s is no reader, and nobody hears of one', async (_, sendAway) => {
    const memory = memoryBroker()
    let away = (): void => {}
    const broker: Broker = {
      ...memory,
      read(channels, since, epoch) {
        away()
        return memory.read(channels, since, epoch)
      },
    }
    const { app, hub } = bareApp({ broker })
    const heard: string[] = []
    hub.on('connect', () => heard.push('connect'))
    hub.on('disconnect', () => heard.push('disconnect'))
    app.get('/events', (_, res) => {
      away = () => sendAway(res.sse, res)
      return res.sse.join('news')
    })
    const wire = await dial(app)
    wire.request('GET', '/events')
    await wire.closed
    expect(wire.text).toBe('')
    expect(heard).toEqual([])
    expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })
})

describe('a gap listener of a join', () => {
  it.each<[string, (stream: Stream<AnyEvents>) => void, readonly string[], readonly string[]]>([
    [
      'joins',
      (stream) => void stream.join('more'),
      ['news', 'more'],
      ['sse.gap', 'n', 'sse.live', 'sse.gap', 'm', 'n'],
    ],
    ['leaves', (stream) => stream.leave('news'), [], ['sse.gap', 'sse.live']],
    ['sends', (stream) => void stream.send('p', 1), ['news'], ['sse.gap', 'n', 'p', 'sse.live', 'n']],
    ['closes', (stream) => stream.close(), [], ['sse.gap', 'n', 'sse.live', 'sse.close']],
    [
      'publishes',
      ({ hub }) => void hub.channel('news').publish('n', 2),
      ['news'],
      ['sse.gap', 'n', 'n', 'sse.live', 'n'],
    ],
  ])('%s', async (_, act, channels, events) => {
    const { app, hub, errors } = eventsApp()
    await hub.channel('news').publish('n', 0)
    const off = hub.on('gap', (stream) => {
      off()
      act(stream)
    })
    const stream = await connect(app, '/events', { lastEventId: 'other-1' })
    await stream.next('sse.open')
    await expect.poll(() => [...hub.streams].flatMap((reader) => reader.channels)).toEqual(channels)
    await hub.channel('more').publish('m', 3)
    await hub.channel('news').publish('n', 4)
    for (const reader of hub.streams) reader.disconnect()
    expect((await stream.rest()).map(({ event }) => event)).toEqual(events)
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    expect(errors).toEqual([])
  })
})

describe('a join whose head cannot be sent', () => {
  it.each(['join', 'send'] as const)(
    'leaves the %s to fail, nothing counted, and the answer to the handler',
    async (how) => {
      const { app, hub } = bareApp()
      app.get('/events', async (_, res) => {
        const { writeHead } = res
        res.writeHead = () => {
          throw new Error('a wrapper')
        }
        try {
          if (how === 'join') await res.sse.join('news', { last: 5 })
          else res.sse.send('n', 1)
        } catch (error) {
          res.writeHead = writeHead
          res.status(503).send(`${String(error)}, ${JSON.stringify(hub.stats())}`)
        }
      })
      await hub.channel('news').publish('n', 1)
      const wire = await dial(app)
      wire.request('GET', '/events')
      expect(await wire.until('a wrapper')).toMatch(/^HTTP\/1\.1 503 .*a wrapper, {"streams":0,"channels":0/s)
    },
  )
})

describe('a join of which more is due than a socket takes at once', () => {
  it('loses nothing of what its handler publishes next, however much', async () => {
    const { app, hub, errors } = bareApp({ history: { length: 10 } })
    for (let n = 0; n < 10; n++) await hub.channel('news').publish('n', [n, 'x'.repeat(3_000)])
    app.get('/events', (_, res) => {
      void res.sse.join('news', { last: 10 })
      for (let n = 10; n < 40; n++) void hub.channel('news').publish('n', [n, ''])
      void hub.channel('news').publish('last', null)
    })
    const stream = await connect(app, '/events')
    await stream.next('last')
    expect(stream.all().filter(({ event }) => event === 'sse.gap')).toEqual([])
    expect(errors).toEqual([])
  })
})

describe('a log that begins anew', () => {
  /** A broker that can have all hubs read again. */
  function resettable(broker: Broker) {
    const sinks = new Set<BrokerSink>()
    const attach: Broker['attach'] = (channels, sink) => {
      sinks.add(sink)
      return broker.attach(channels, sink)
    }
    const reset = (): void => {
      for (const sink of sinks) sink.reset()
    }
    return { broker: { ...broker, attach }, reset }
  }

  it('while a reader leaves a channel takes it from nobody else', async () => {
    const gated = gatedBroker()
    const { broker, reset } = resettable(gated)
    const { app, hub } = eventsApp({ broker })
    const join = async () => {
      const stream = connect(app, '/events?channels=news,more')
      await letJoin(gated)
      return stream
    }
    const one = await join()
    const other = await join()
    reset()
    await expect.poll(() => gated.waiting).toEqual(['read', 'read'])
    const [leaving] = hub.streams
    leaving?.leave('news')
    gated.open()
    await other.next('sse.gap')
    await one.next('sse.gap')
    await expect.poll(() => leaving?.channels).toEqual(['more'])
    expect(hub.channel('news').size).toBe(1)
    await hub.channel('news').publish('n', 1)
    expect((await other.next('n')).json).toBe(1)
  })

  it('is no other one if it has the same name: what may be missing is announced, and nothing comes twice', async () => {
    const { broker, reset } = resettable(memoryBroker())
    const { app, hub } = eventsApp({ broker })
    const stream = await connect(app, '/events')
    for (const n of [1, 2]) await hub.channel('news').publish('n', n)
    await stream.next('n')
    await stream.next('n')
    reset()
    await hub.channel('news').publish('n', 3)
    expect((await stream.next('sse.gap')).json).toEqual({ channels: ['news'], reason: 'evicted' })
    expect((await stream.next('n')).json).toBe(3)
  })

  it('is what a join under way reads by itself: nothing is missing', async () => {
    const gated = gatedBroker()
    const { broker, reset } = resettable(gated)
    const { app, hub } = eventsApp({ broker })
    const connecting = connect(app, '/events')
    await expect.poll(() => gated.waiting).toEqual(['attach'])
    gated.pass()
    await expect.poll(() => gated.waiting).toEqual(['read'])
    reset()
    gated.pass()
    await expect.poll(() => gated.waiting).toEqual(['read'])
    gated.open()
    const stream = await connecting
    await hub.channel('news').publish('n', 1)
    await stream.next('n')
    expect(stream.all().map(({ event }) => event)).toEqual(['sse.open', 'sse.live', 'n'])
  })

  it('is announced to a join under way that has read the former one', async () => {
    let memory = memoryBroker()
    let answer = (): void => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const read = vi.fn<Broker['read']>(async (...asked) => {
      const reading = await memory.read(...asked)
      await answered
      return reading
    })
    const { broker, reset } = resettable({ ...memory, read })
    const { app } = eventsApp({ broker })
    const connecting = connect(app, '/events')
    await expect.poll(() => read.mock.calls).toHaveLength(1)
    memory = memoryBroker()
    reset()
    answer()
    const stream = await connecting
    expect((await stream.next('sse.gap')).json).toEqual({ channels: ['news'], reason: 'epoch' })
  })

  it('lets who has left all channels hear of one joined later, though positions are lower now', async () => {
    let memory = memoryBroker()
    const { broker, reset } = resettable({
      publish: (...said) => memory.publish(...said),
      attach: (channels, sink) => memory.attach(channels, sink),
      detach: (channel, sink) => memory.detach(channel, sink),
      read: (channels, after) => memory.read(channels, after),
      close: () => memory.close(),
    })
    const { app, hub } = eventsApp({ broker })
    for (let n = 0; n < 5; n++) await hub.channel('news').publish('n', n)
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    const [reader] = hub.streams
    reader?.leave('news')
    memory = memoryBroker()
    reset()
    await reader?.join('more')
    await hub.channel('more').publish('n', 'heard')
    expect((await stream.next('n')).json).toBe('heard')
    expect(stream.lastEventId).toMatch(/-1$/)
  })
})

describe('a handler that goes on with a file or a view', () => {
  it.each([
    ['Express 5', express],
    ['Express 4', express4],
  ])('is told by the hub, and the stream goes on: %s', async (_, make) => {
    const { hub } = bareApp()
    const errors: unknown[] = []
    hub.on('error', (error) => errors.push(error))
    const app = make().use(hub)
    app.engine('html', (_path, _options, done) => done(null, ''))
    app.get('/file', (_, res) => {
      void res.sse.join('news')
      res.sendFile(fileURLToPath(import.meta.url))
    })
    app.get('/render', (_, res) => {
      void res.sse.join('news')
      res.render('nothing.html')
    })
    for (const path of ['/file', '/render']) {
      const stream = await connect(app, path)
      await expect.poll(() => errors).toHaveLength(1)
      errors.length = 0
      await hub.channel('news').publish('n', path)
      expect((await stream.next('n')).json).toBe(path)
    }
  })
})

describe('the request of an open stream', () => {
  it.each([
    ['Express 5', express],
    ['Express 4', express4],
  ])('still says where it went: %s', async (_, make) => {
    const { hub } = bareApp()
    const said: unknown[] = []
    const app = make().use(hub)
    app.get('/rooms/:room', (req, res) => {
      void res.sse.join('news')
      said.push(req.path, req.params.room, req.query.page, req.originalUrl)
    })
    await (await connect(app, '/rooms/blue?page=2')).next('sse.live')
    expect(said).toEqual(['/rooms/blue', 'blue', '2', '/rooms/blue?page=2'])
  })
})

describe('a join that the broker fails', () => {
  it('keeps what was sent meanwhile, for a handler that goes on without it', async () => {
    const broker = gatedBroker()
    const { app } = bareApp({ broker })
    app.get('/events', async (_req, res) => {
      const joining = res.sse.join('news')
      expect(res.sse.send('first', null)).toBe(true)
      await joining.catch(() => res.sse.send('second', null))
      res.sse.close()
    })
    const connecting = connect(app, '/events')
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    broker.pass(new Error('down'))
    const events = await (await connecting).rest()
    expect(events.map(({ event }) => event)).toEqual(['sse.open', 'first', 'second', 'sse.close'])
  })

  const failures: Record<string, Partial<Broker>> = {
    'throws at attach': {
      attach: () => {
        throw new Error('the broker')
      },
    },
    'rejects at attach': { attach: () => Promise.reject(new Error('the broker')) },
    'throws at read': {
      read: () => {
        throw new Error('the broker')
      },
    },
    'rejects at read': { read: () => Promise.reject(new Error('the broker')) },
  }

  it.each(Object.entries(failures))(
    'leaves nothing attached or counted, and may be made again: %s',
    async (_, failing) => {
      const memory = memoryBroker()
      const attached = new Set<string>()
      const attach = (channels: readonly string[], sink: BrokerSink) => {
        for (const channel of channels) attached.add(channel)
        return memory.attach(channels, sink)
      }
      const detach = (channel: string, sink: BrokerSink) => {
        attached.delete(channel)
        memory.detach(channel, sink)
      }
      const broker: Broker = { ...memory, attach, detach, ...failing }
      const { app, hub } = bareApp({ broker })
      app.get('/events', async (req, res) => {
        const { closed } = res.sse
        await expect(res.sse.join(['news', 'more'])).rejects.toThrow('the broker')
        expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
        expect([...attached]).toEqual([])
        if (req.query.again === undefined) {
          res.status(503).send('not now')
          await closed
          return
        }
        Object.assign(broker, { attach, read: memory.read })
        await res.sse.join('news')
      })
      const wire = await dial(app)
      wire.request('GET', '/events')
      expect(await wire.until('not now')).toMatch(/^HTTP\/1\.1 503 /)
      wire.request('GET', '/events?again')
      await wire.until('sse.live')
      expect([...attached]).toEqual(['news'])
    },
  )

  it('still tells who asked meanwhile that the answer is over', async () => {
    const gated = gatedBroker()
    const { app } = bareApp({ broker: gated })
    let over = false
    app.get('/events', async (_, res) => {
      const joining = res.sse.join('news')
      const { closed, signal } = res.sse
      await expect(joining).rejects.toThrow('the broker')
      res.status(503).send('not now')
      await closed
      over = signal.aborted
    })
    const wire = await dial(app)
    wire.request('GET', '/events')
    await expect.poll(() => gated.waiting).toEqual(['attach'])
    gated.pass(new Error('the broker'))
    await wire.until('not now')
    await expect.poll(() => over).toBe(true)
  })

  it('after an earlier one takes nothing from the stream', async () => {
    const memory = memoryBroker()
    const broker: Broker = { ...memory }
    const { app, hub } = bareApp({ broker })
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      broker.read = () => {
        throw new Error('the broker')
      }
      await expect(res.sse.join('more')).rejects.toThrow('the broker')
      broker.read = memory.read
    })
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    expect(hub.stats()).toMatchObject({ streams: 1, channels: 1 })
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
  })
})

describe('a join on a connection that is not as it came', () => {
  it('of a corked response is sent when that is uncorked', async () => {
    const { app, hub } = bareApp()
    for (let n = 0; n < 50; n++) await hub.channel('news').publish('n', 'x'.repeat(3_000))
    const uncork = hub.on('connect', (stream) => void stream.send('hello', 1))
    app.get('/events', (_, res) => {
      res.cork()
      void res.sse.join('news', { last: 50 })
      setImmediate(() => res.uncork())
    })
    const stream = await connect(app, '/events')
    const events = await stream.upTo('sse.live')
    expect(events.filter(({ event }) => event === 'n')).toHaveLength(50)
    await hub.channel('news').publish('last', 1)
    expect((await stream.next('last')).json).toBe(1)
    uncork()
  })

  it.each(['1.0', '1.1'])(
    'gets all of a long replay, whatever a socket takes at once: HTTP/%s',
    async (version) => {
      const { app, hub } = eventsApp()
      for (let n = 0; n < 200; n++) await hub.channel('news').publish('n', `${n} ${'x'.repeat(3_000)}`)
      const wire = await dial(app)
      wire.request('GET', '/events?last=200', {}, version)
      const text = await wire.until('sse.live')
      expect(text.match(/"\d+ x/g)).toHaveLength(200)
    },
  )

  it('takes what listens for room off the connection, which goes on to serve other streams', async () => {
    const { app, hub } = bareApp()
    for (let n = 0; n < 200; n++) await hub.channel('news').publish('n', 'x'.repeat(3_000))
    const listeners: number[] = []
    app.get('/events', async (req, res) => {
      listeners.push(req.socket.listenerCount('drain'))
      await res.sse.join('news', { last: 200 })
      res.sse.close()
    })
    const wire = await dial(app)
    for (let times = 1; times <= 5; times++) {
      wire.request('GET', '/events')
      await wire.until('sse.close', times)
      await expect.poll(() => hub.stats().streams).toBe(0)
    }
    expect(new Set(listeners).size).toBe(1)
  })
})

describe('a handler that answers otherwise while the broker is asked', () => {
  it.each([
    ['in spite of it', true],
    ['and fails', false],
  ])('has its answer to itself: the join goes through %s', async (_, succeeds) => {
    const broker = gatedBroker()
    const { app, hub } = bareApp({ broker, heartbeat: 30 })
    const heard: string[] = []
    for (const event of ['connect', 'disconnect'] as const) hub.on(event, () => heard.push(event))
    let end = (): void => {}
    let joining: Promise<void> | undefined
    app.get('/plain', (_req, res) => {
      joining = res.sse.join('news')
      res.write('plain')
      end = () => res.end(', over')
    })
    const client = await connect(app, '/plain')
    if (succeeds) {
      await letJoin(broker)
    } else {
      await expect.poll(() => broker.waiting).toEqual(['attach'])
      broker.pass(new Error('down'))
    }
    await expect(joining).rejects.toMatchObject(succeeds ? { code: 'ERR_SSE_ANSWERED' } : { message: 'down' })
    broker.open()
    await hub.channel('news').publish('n', 1)
    end()
    await client.ended
    expect(client.raw).toBe('plain, over')
    expect(hub.channel('news').size).toBe(0)
    expect(heard).toEqual([])
  })
})

describe('a later join of what has been before', () => {
  it('says what of it is gone', async () => {
    const { app, hub } = bareApp({ history: { length: 2 } })
    app.get('/events', async (_req, res) => {
      await res.sse.join('news')
      await res.sse.join('more', { last: Number.POSITIVE_INFINITY })
      res.sse.send('end', null)
    })
    for (let n = 0; n < 5; n++) await hub.channel('more').publish('n', n)
    const stream = await connect(app, '/events')
    const events = await stream.upTo('end')
    expect(events.map(({ event }) => event)).toEqual(['sse.open', 'sse.live', 'sse.gap', 'n', 'n', 'end'])
    expect(events[2]?.json).toEqual({ channels: ['more'], reason: 'evicted' })
  })

  it('keeps to the limits of a replay, over all of its channels', async () => {
    const { app, hub } = bareApp({ limits: { replayEvents: 3 } })
    const channels = ['b', 'c', 'd']
    app.get('/events', async (_req, res) => {
      await res.sse.join('news')
      await res.sse.join(channels, { last: 100 })
      res.sse.send('end', null)
    })
    for (let n = 0; n < 3; n++) for (const channel of channels) await hub.channel(channel).publish('n', n)
    const stream = await connect(app, '/events')
    const events = await stream.upTo('end')
    expect(events.filter(({ event }) => event === 'n').length).toBeLessThanOrEqual(3)
    expect(events.map(({ event }) => event)).toContain('sse.gap')
  })

  it('that is asked for by what is no number brings nothing', async () => {
    const { app, hub } = eventsApp()
    await hub.channel('news').publish('n', 1)
    const stream = await connect(app, '/events?last=many')
    const events = await stream.upTo('sse.live')
    expect(events.map(({ event }) => event)).toEqual(['sse.open', 'sse.live'])
  })
})
