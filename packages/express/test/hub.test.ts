import { sse } from '@sse/express'
import { connect, serve, stopServing } from '@sse/express/testing'
import express from 'express'
import { describe, expect, it, vi } from 'vitest'
import { bareApp, channelsOf, eventsApp } from './app.ts'
import { gatedBroker, letJoin } from './gated-broker.ts'
import { dial } from './wire.ts'

describe('who is there', () => {
  it('is hub.streams, with what the application said of each', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (req, res) => {
      res.sse.locals.user = req.query.user
      await res.sse.join(channelsOf(req))
    })
    const ada = await connect(app, '/events?user=ada&channels=news')
    await connect(app, '/events?user=bob&channels=news,sport')
    expect([...hub.streams].map(({ locals }) => locals.user)).toEqual(['ada', 'bob'])
    expect(hub.channel('news').size).toBe(2)
    expect(hub.channel('sport').size).toBe(1)
    expect(hub.channel('nobody').size).toBe(0)
    expect(hub.stats()).toEqual({ streams: 2, channels: 2, published: 0, gaps: 0 })
    await ada.drop()
    await expect.poll(() => hub.stats().streams).toBe(1)
    expect(hub.channel('news').size).toBe(1)
  })

  it('lets one be sent to, kicked, or sent away for good', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (req, res) => {
      res.sse.locals.user = req.query.user
      await res.sse.join('news')
    })
    const ada = await connect(app, '/events?user=ada')
    const bob = await connect(app, '/events?user=bob')
    const streamOf = (user: string) => [...hub.streams].find(({ locals }) => locals.user === user)
    streamOf('ada')?.send('hello', 'ada')
    expect((await ada.next('hello')).json).toBe('ada')
    streamOf('ada')?.close('kicked')
    expect((await ada.next('sse.close')).json).toEqual({ reason: 'kicked' })
    await hub.channel('news').publish('marker', null)
    await bob.next('marker')
    expect(bob.all().map(({ event }) => event)).not.toContain('hello')
  })
})

describe('res.sse', () => {
  it('is there where the hub is mounted, in the applications below as well, and the name is free elsewhere', async () => {
    const hub = sse()
    const app = express()
    const seen: unknown[] = []
    app.get('/before', (_, res) => {
      seen.push(res.sse)
      Object.assign(res, { sse: 'theirs' })
      seen.push(res.sse)
      res.end()
    })
    app.use('/api', hub)
    const below = express()
    below.get('/events', (_, res) => res.sse.join('news'))
    app.use('/api/below', below)
    const stream = await connect(app, '/api/below/events')
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
    const url = await serve(app)
    await fetch(new URL('/before', url))
    expect(seen).toEqual([undefined, 'theirs'])
    await stopServing(app)
    await hub.close()
  })

  it('is one stream however often it is asked for, is not overwritten by accident, and not shown by who logs a response', async () => {
    const hub = sse()
    const app = express().use(hub)
    const seen: unknown[] = []
    app.get('/', (_, res) => {
      const { sse } = res
      seen.push(res.sse === sse, hub.stream(res) === sse, Object.keys(res).includes('sse'))
      expect(() => Object.assign(res, { sse: 'theirs' })).toThrow(TypeError)
      res.json(res.sse.channels)
    })
    await (await fetch(await serve(app))).json()
    expect(seen).toEqual([true, true, false])
    await stopServing(app)
    await hub.close()
  })

  it('is not touched where an application has one of its own, and asks the hub for the stream', async () => {
    const hub = sse()
    const app = express()
    const seen: unknown[] = []
    app.get('/', (_, res) => {
      Object.assign(res, { sse: 'theirs' })
      const stream = hub.stream(res)
      seen.push(hub.stream(res) === stream, res.sse)
      stream.send('n', 1)
    })
    expect((await (await connect(app, '/')).next('n')).json).toBe(1)
    expect(seen).toEqual([true, 'theirs'])
    await stopServing(app)
    await hub.close()
  })

  it('stays with a response that leaves the application in which the hub is mounted', async () => {
    const hub = sse()
    const app = express()
    app.use(express().use(hub))
    app.get('/events', (_, res) => res.sse.join('news'))
    const stream = await connect(app, '/events')
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
    await stopServing(app)
    await hub.close()
  })

  it('is that of the hub that was mounted last', async () => {
    const { app, hub: first } = bareApp()
    const last = sse()
    const refused: unknown[] = []
    app.get('/touched', (_, res, next) => {
      void res.sse.lastEventId
      next()
    })
    app.get('/taken', (_, res, next) => {
      res.sse.send('n', 1)
      next()
    })
    app.use(last)
    app.get('/touched', (_, res) => res.sse.join('news'))
    app.get('/taken', (_, res) => {
      try {
        res.sse.send('n', 2)
      } catch (error) {
        refused.push(error)
      }
    })
    await connect(app, '/touched')
    expect([first.stats().streams, last.stats().streams]).toEqual([0, 1])
    await (await connect(app, '/taken')).next('n')
    expect(refused).toMatchObject([{ code: 'ERR_SSE_OTHER_HUB' }])
    await stopServing(app)
    await last.close()
  })
})

describe('hub.on', () => {
  it('hears of each stream that opens and ends, once', async () => {
    const { app, hub } = eventsApp()
    const heard: string[] = []
    hub.on('connect', ({ channels }) => heard.push(`connect ${channels}`))
    hub.on('disconnect', ({ signal }) => heard.push(`disconnect ${signal.aborted}`))
    const client = await connect(app, '/events')
    await client.drop()
    await expect.poll(() => heard).toEqual(['connect news', 'disconnect true'])
  })

  it('hears nothing of requests that never became streams', async () => {
    const { app, hub } = eventsApp({ limits: { streams: 0 } })
    const heard = vi.fn()
    hub.on('connect', heard)
    hub.on('disconnect', heard)
    await (await connect(app, '/events')).ended
    expect(heard).not.toHaveBeenCalled()
  })

  it('is stopped by what it returns', async () => {
    const { app, hub } = eventsApp()
    const heard = vi.fn()
    const stop = hub.on('connect', heard)
    stop()
    await connect(app, '/events')
    expect(heard).not.toHaveBeenCalled()
  })

  it('lets no listener hurt another one, a stream or the process', async () => {
    const { app, hub, errors } = eventsApp()
    const heard = vi.fn()
    hub.on('connect', () => {
      throw new Error('a bad listener')
    })
    hub.on('connect', heard)
    const client = await connect(app, '/events')
    await hub.channel('news').publish('n', 1)
    await client.next('n')
    expect(heard).toHaveBeenCalledTimes(1)
    expect(errors).toMatchObject([{ message: 'a bad listener' }])
  })

  it('lets a listener close or disconnect the stream that it hears of', async () => {
    const { app, hub } = eventsApp()
    const stop = hub.on('connect', (stream) => stream.disconnect())
    const first = await connect(app, '/events')
    await first.ended
    stop()
    hub.on('connect', (stream) => stream.close('not today'))
    const second = await connect(app, '/events')
    expect((await second.next('sse.close')).json).toEqual({ reason: 'not today' })
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })
})

describe('an error that nobody looks at', () => {
  it('of publish goes to the hub, not to the process', async () => {
    const { hub, errors } = eventsApp()
    hub.channel('news').publish('sse.open', null)
    await expect.poll(() => errors).toMatchObject([{ code: 'ERR_SSE_RESERVED_EVENT' }])
  })

  it('of publish that somebody awaits does not', async () => {
    const { hub, errors } = eventsApp()
    await expect(hub.channel('news').publish('sse.open', null)).rejects.toThrow('reserved')
    const returned = async () => hub.channel('news').publish('open', null)
    await expect(returned()).rejects.toThrow('reserved')
    await expect(returned().catch((error) => error.code)).resolves.toBe('ERR_SSE_RESERVED_EVENT')
    await new Promise((resolve) => setImmediate(resolve))
    expect(errors).toEqual([])
  })

  it('of join goes to the hub, and the client gets its status', async () => {
    const { app, hub, errors } = bareApp()
    app.get('/events', (_, res) => void res.sse.join(''))
    expect((await connect(app, '/events')).status).toBe(400)
    expect(errors).toMatchObject([{ code: 'ERR_SSE_CHANNEL_NAME' }])
    expect(hub.stats().streams).toBe(0)
  })

  it('of the broker is told to the client as 500, without its message', async () => {
    const broker = gatedBroker()
    const { app, errors } = bareApp({ broker })
    app.get('/events', (_, res) => void res.sse.join('news'))
    const connecting = connect(app, '/events')
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    broker.pass(new Error('redis://user:password@host is away'))
    const client = await connecting
    await client.ended
    expect(client.status).toBe(500)
    expect(client.raw).toBe('')
    expect(errors).toHaveLength(1)
  })

  it('becomes a process warning where the hub has no listener', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    sse().channel('news').publish('open', null)
    await expect.poll(() => warned.mock.calls.length).toBe(1)
    warned.mockRestore()
  })
})

describe('a join that failed', () => {
  const failing = () => {
    const broker = gatedBroker()
    const made = bareApp({ broker })
    const heard = vi.fn()
    made.hub.on('connect', heard)
    made.hub.on('disconnect', heard)
    return { ...made, broker, heard }
  }

  it('leaves the response to the handler, as if nothing had been', async () => {
    const { app, broker, heard, hub } = failing()
    app.get('/events', async (_, res) => {
      await res.sse.join('news').catch(() => res.status(502).json({ later: true }))
    })
    const connecting = connect(app, '/events')
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    broker.pass(new Error('away'))
    const { ended, headers, status } = await connecting
    expect(status).toBe(502)
    expect(headers['content-type']).toContain('json')
    await ended
    expect(heard).not.toHaveBeenCalled()
    expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })

  it('may be tried again', async () => {
    const { app, broker, heard } = failing()
    app.get('/events', async (_, res) => {
      await res.sse.join('news').catch(() => res.sse.join('news'))
    })
    const connecting = connect(app, '/events')
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    broker.pass(new Error('away'))
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    broker.open()
    await (await connecting).next('sse.live')
    expect(heard).toHaveBeenCalledTimes(1)
  })
})

describe('a reader that leaves', () => {
  it('during an asynchronous authorisation is never registered', async () => {
    const { app, hub, errors } = bareApp()
    let authorise = (): void => {}
    let asked = false
    let closed = false
    const joined = vi.fn()
    app.get('/events', async (_, res) => {
      asked = true
      res.once('close', () => {
        closed = true
      })
      await new Promise<void>((resolve) => {
        authorise = resolve
      })
      await res.sse.join('news')
      joined(res.sse.send('n', 1), res.sse.signal.aborted)
    })
    const wire = await dial(app)
    wire.request('GET', '/events')
    await expect.poll(() => asked).toBe(true)
    wire.socket.destroy()
    await expect.poll(() => closed).toBe(true)
    authorise()
    await expect.poll(() => joined.mock.calls).toEqual([[false, true]])
    expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    expect(errors).toEqual([])
  })

  it.each(['attach', 'read'])('while the broker answers %s is never registered', async (step) => {
    const broker = gatedBroker()
    const { app, hub, errors } = eventsApp({ broker })
    const connecting = connect(app, '/events')
    connecting.catch(() => {})
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    if (step === 'read') {
      broker.pass()
      await expect.poll(() => broker.waiting).toEqual(['read'])
    }
    await stopServing(app)
    await expect.poll(() => hub.stats().streams).toBe(0)
    broker.open()
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    expect(hub.channel('news').size).toBe(0)
    expect(errors).toEqual([])
  })

  it('while a later join waits takes all of its channels along', async () => {
    const broker = gatedBroker()
    const { app, hub } = bareApp({ broker })
    app.get('/events', async (_, res) => {
      await res.sse.join('first')
      await res.sse.join('second')
    })
    const connecting = connect(app, '/events')
    await letJoin(broker)
    const client = await connecting
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    await client.drop()
    await expect.poll(() => hub.stats().streams).toBe(0)
    broker.open()
    await expect.poll(() => hub.stats().channels).toBe(0)
  })
})

describe('a listener of the hub', () => {
  it('that is asynchronous and fails hurts nobody: the hub hears of it', async () => {
    const { app, hub, errors } = eventsApp()
    hub.on('connect', async () => {
      await undefined
      throw new Error('inside')
    })
    const stream = await connect(app, '/events')
    await stream.next('sse.live')
    await expect.poll(() => errors).toMatchObject([{ message: 'inside' }])
  })

  it('that listens twice is stopped twice', async () => {
    const { app, hub } = eventsApp()
    const heard = vi.fn()
    const [off] = [hub.on('connect', heard), hub.on('connect', heard)]
    off?.()
    await (await connect(app, '/events')).next('sse.live')
    expect(heard).toHaveBeenCalledTimes(1)
  })
})
