import type { AnyEvents } from '@sse/contract'
import { memoryBroker, sse } from '@sse/express'
import { connect, stopServing } from '@sse/express/testing'
import express from 'express'
import express4 from 'express-4'
import request from 'supertest'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bareApp, eventsApp } from './app.ts'
import { gatedBroker } from './gated-broker.ts'

describe('a handler that has answered already', () => {
  it('is told so by send and by join, with the remedy', async () => {
    const { app } = bareApp()
    const seen: unknown[] = []
    app.get('/answered', async (_, res) => {
      res.json({ done: true })
      try {
        res.sse.send('n', 1)
      } catch (error) {
        seen.push(error)
      }
      await res.sse.join('news').catch((error) => seen.push(error))
    })
    await request(app).get('/answered').expect(200, { done: true })
    await expect.poll(() => seen).toHaveLength(2)
    for (const error of seen) {
      expect(error).toMatchObject({ code: 'ERR_SSE_ANSWERED', status: 500 })
      expect(String(error)).toMatch(/use res\.sse instead of res\.send/)
    }
  })

  it('and does not look at its join crashes nothing', async () => {
    const { app, errors } = bareApp()
    app.get('/answered', (_, res) => {
      res.json({ done: true })
      void res.sse.join('news')
    })
    await request(app).get('/answered').expect(200, { done: true })
    await expect.poll(() => errors).toMatchObject([{ code: 'ERR_SSE_ANSWERED' }])
  })

  it('that streams and then answers otherwise ends its own stream alone', async () => {
    const { app, hub } = eventsApp()
    app.get('/both', async (_, res, next) => {
      await res.sse.join('news')
      try {
        res.json({ done: true })
      } catch (error) {
        next(error)
      }
    })
    const other = await connect(app, '/events')
    await (await connect(app, '/both')).ended
    await hub.channel('news').publish('n', 1)
    expect((await other.next('n')).json).toBe(1)
    await expect.poll(() => hub.stats().streams).toBe(1)
  })
})

describe('a handler that throws', () => {
  it('after it joined ends one stream, and nobody else notices', async () => {
    const { app, hub } = eventsApp()
    app.get('/throws', async (_, res) => {
      await res.sse.join('news')
      throw new Error('a bug')
    })
    const other = await connect(app, '/events')
    const stream = await connect(app, '/throws')
    await stream.ended
    expect(stream.raw).not.toContain('a bug')
    await hub.channel('news').publish('n', 1)
    expect((await other.next('n')).json).toBe(1)
    await expect.poll(() => hub.stats().streams).toBe(1)
  })

  it('because a payload cannot be serialised ends one stream', async () => {
    const { app, hub } = eventsApp()
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    app.get('/throws', async (_, res) => {
      await res.sse.join('news')
      res.sse.send('n', cyclic)
    })
    const other = await connect(app, '/events')
    await (await connect(app, '/throws')).ended
    await expect(hub.channel('news').publish('n', 1n)).rejects.toMatchObject({ code: 'ERR_SSE_NOT_JSON' })
    await hub.channel('news').publish('n', 1)
    expect((await other.next('n')).json).toBe(1)
  })
})

describe('two hubs', () => {
  it('mounted for one route: the nearest is res.sse', async () => {
    const outer = sse<AnyEvents>()
    const inner = sse<AnyEvents>()
    const app = express().use(outer)
    app.get('/outer', (_, res) => res.sse.join('news'))
    app.get('/inner', inner, (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    const far = await connect(app, '/outer')
    const near = await connect(app, '/inner')
    expect([outer.stats().streams, inner.stats().streams]).toEqual([1, 1])
    await inner.channel('news').publish('n', 'inner')
    await outer.channel('news').publish('n', 'outer')
    expect((await near.next('n')).json).toBe('inner')
    expect((await far.next('n')).json).toBe('outer')
  })

  it('on one response are refused, with the remedy', async () => {
    const { app } = bareApp()
    const other = sse<AnyEvents>()
    let refused: unknown
    app.get('/events', (_, res) => {
      res.sse.send('n', 1)
      try {
        other.stream(res)
      } catch (error) {
        refused = error
      }
    })
    await (await connect(app, '/events')).next('n')
    expect(refused).toMatchObject({
      code: 'ERR_SSE_OTHER_HUB',
      message: expect.stringContaining('res.sse.hub'),
    })
  })

  it.each(['the outer', 'the inner'])(
    'that join while a broker takes its time: %s is first',
    async (first) => {
      const broker = gatedBroker()
      const outer = sse<AnyEvents>({ broker })
      const inner = sse<AnyEvents>({ broker })
      const app = express().use(outer)
      const refused: unknown[] = []
      app.get('/events', (_, res) => {
        const streams = [outer.stream(res), inner.stream(res)]
        if (first === 'the inner') streams.reverse()
        for (const stream of streams) stream.join('news').catch((error) => refused.push(error))
      })
      onTestFinished(() => stopServing(app))
      const opened = connect(app, '/events')
      await expect.poll(() => refused).toMatchObject([{ code: 'ERR_SSE_OTHER_HUB' }])
      broker.open()
      const client = await opened
      await inner.channel('news').publish('n', 1)
      await client.next('n')
      expect(outer.stats().streams + inner.stats().streams).toBe(1)
    },
  )

  it('of which an outer one was only looked at: the nearest still streams', async () => {
    const outer = sse<AnyEvents>()
    const inner = sse<AnyEvents>()
    const app = express().use(outer)
    app.use((_, res, next) => {
      res.locals.lastEventId = res.sse.lastEventId
      next()
    })
    app.get('/events', inner, (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    expect((await connect(app, '/events')).status).toBe(200)
    expect(inner.stats().streams).toBe(1)
  })
})

describe('a hub mounted twice', () => {
  it('is mounted once', async () => {
    const { app, hub } = bareApp()
    app.use(hub)
    app.get('/events', hub, (_, res) => {
      expect(hub.stream(res)).toBe(res.sse)
      return res.sse.join('news')
    })
    const stream = await connect(app, '/events')
    await hub.channel('news').publish('n', 1)
    await hub.channel('news').publish('n', 2)
    await stream.next('sse.live')
    expect([(await stream.next('n')).json, (await stream.next('n')).json]).toEqual([1, 2])
    expect(hub.stats().streams).toBe(1)
  })
})

describe('a hub that nobody mounted', () => {
  it('warns once when something is published on it while another hub serves', async () => {
    const { app, hub } = eventsApp()
    await connect(app, '/events')
    const left = await connect(app, '/events')
    await left.drop()
    await expect.poll(() => hub.stats().streams).toBe(1)
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => {
      warned.mockRestore()
    })
    const forgotten = sse<AnyEvents>()
    await forgotten.channel('news').publish('n', 1)
    await forgotten.channel('news').publish('n', 2)
    expect(warned).toHaveBeenCalledTimes(1)
    expect(warned.mock.calls[0]?.[0]).toMatch(
      /channel\("news"\).*did you call sse\(\) twice\? Export one hub/,
    )
  })

  it('says nothing where its readers wait for something else, or have it by the same broker', async () => {
    const broker = memoryBroker()
    const { app } = eventsApp({ broker })
    const stream = await connect(app, '/events')
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => {
      warned.mockRestore()
    })
    await sse<AnyEvents>().channel('weather').publish('n', 1)
    await sse<AnyEvents>({ broker }).channel('news').publish('n', 2)
    expect((await stream.next('n')).json).toBe(2)
    expect(warned).not.toHaveBeenCalled()
  })
})

describe('Express 4', () => {
  it('streams, joins and resumes as Express 5 does', async () => {
    const hub = sse<AnyEvents>()
    const app = express4().use(hub)
    app.get('/events', (_, res) => void res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    const stream = await connect(app, '/events')
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
    await stream.drop()
    await hub.channel('news').publish('n', 2)
    expect((await (await stream.resume()).next('n')).json).toBe(2)
  })

  it('hands the failure of an asynchronous handler on with next', async () => {
    const hub = sse<AnyEvents>({ limits: { streams: 0 } })
    const app = express4().use(hub)
    app.get('/events', (_, res, next) => {
      res.sse.join('news').catch(next)
    })
    onTestFinished(() => stopServing(app))
    await request(app).get('/events').expect(503).expect('retry-after', '2')
  })

  it('answers by itself where an asynchronous handler forgets it, and the process lives', async () => {
    const errors: unknown[] = []
    const hub = sse<AnyEvents>({ limits: { streams: 0 } })
    hub.on('error', (error) => errors.push(error))
    const app = express4().use(hub)
    app.get('/events', (_, res) => void res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    await request(app).get('/events').expect(503).expect('retry-after', '2')
    expect(errors).toHaveLength(1)
  })

  it('publishes from res.sse.hub', async () => {
    const app = express4().use(sse())
    app.get('/events', (_, res) => void res.sse.join('news'))
    app.post('/news', (_, res, next) => {
      res.sse.hub
        .channel('news')
        .publish('n', 'by hub')
        .then(() => res.sendStatus(202), next)
    })
    onTestFinished(() => stopServing(app))
    const stream = await connect(app, '/events')
    await request(app).post('/news').expect(202)
    expect((await stream.next('n')).json).toBe('by hub')
  })
})

describe('Express 5', () => {
  it('hands the failure of a join to its error handler, with status and headers', async () => {
    const { app } = eventsApp({ limits: { streams: 0 } })
    await request(app).get('/events').expect(503).expect('retry-after', '2')
  })

  it("leaves the application's own error handler the say", async () => {
    const { app, errors } = eventsApp({ limits: { streams: 0 } })
    const handler: express.ErrorRequestHandler = (error, _req, res, _next) => {
      res.status(418).json({ code: error.code })
    }
    app.use(handler)
    await request(app).get('/events').expect(418, { code: 'ERR_SSE_TOO_MANY_STREAMS' })
    expect(errors).toEqual([])
  })
})

describe('a wrapper of the response that throws', () => {
  it('ends its own stream, and nobody else notices', async () => {
    const { app, hub, errors } = bareApp()
    app.get('/events', async (req, res) => {
      if (req.query.wrapped !== undefined) {
        const { write } = res
        let writes = 0
        Object.assign(res, {
          write(...args: unknown[]): unknown {
            if (++writes > 1) throw new Error('wrapper')
            return Reflect.apply(write, res, args)
          },
        })
      }
      await res.sse.join('news')
    })
    const wrapped = await connect(app, '/events?wrapped=')
    const other = await connect(app, '/events')
    await other.next('sse.live')
    await hub.channel('news').publish('n', 1)
    expect((await other.next('n')).json).toBe(1)
    await wrapped.ended
    expect(errors).toMatchObject([{ message: 'wrapper' }])
    expect(hub.streams.size).toBe(1)
  })
})

describe('what cannot be meant is refused, with the remedy', () => {
  it.each([
    ['an option that there is not', { heartBeat: 5 }, /no option heartBeat: .*heartbeat/],
    ['one of the history', { history: { size: 5 } }, /no option history\.size: .*length, bytes, age/],
    ['one of the limits', { limits: { maxStreams: 1 } }, /no option limits\.maxStreams/],
    ['a broker that is none', { broker: {} }, /broker must be a broker/],
    ['events that are no contract', { events: { a: 1 } }, /defineEvents/],
  ])('%s', (_, options, message) => {
    const make = (): unknown => Reflect.apply(sse, undefined, [options])
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  it('sse itself as the middleware', async () => {
    const app = express()
    app.use(sse as unknown as express.RequestHandler)
    const seen: unknown[] = []
    app.use(((error, _req, res, _next) => {
      seen.push(error)
      res.sendStatus(500)
    }) satisfies express.ErrorRequestHandler)
    await request(app).get('/').expect(500)
    expect(seen).toMatchObject([{ message: expect.stringContaining('app.use(sse())') }])
  })

  it('channels of a join as arguments one by one', async () => {
    const { app } = bareApp()
    app.get('/events', (_req, res) => Reflect.apply(res.sse.join, res.sse, ['a', 'b']))
    app.use(((error, _req, res, _next) => {
      res.status(500).json(error.message)
    }) satisfies express.ErrorRequestHandler)
    await request(app)
      .get('/events')
      .expect(500, /one array/)
  })

  it('an event that a hub does not have', () => {
    const { hub } = bareApp()
    expect(() => Reflect.apply(hub.on, hub, ['connected', () => {}])).toThrow(
      /connect, disconnect, gap, error/,
    )
  })
})
