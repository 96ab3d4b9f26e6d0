import { execFile } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import type { AnyEvents } from '@sse/contract'
import { sse } from '@sse/express'
import { connect, serve, stopServing } from '@sse/express/testing'
import compression from 'compression'
import { EventSource } from 'eventsource'
import express, { type RequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bareApp, eventsApp } from './app.ts'
import { dial } from './wire.ts'

describe('the head of the answer', () => {
  it('is that of an event stream which nobody on the way may store, change or hold back', async () => {
    const { app } = eventsApp()
    const { headers, status } = await connect(app, '/events', { headers: { connection: 'keep-alive' } })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
      connection: 'keep-alive',
    })
    expect(headers).not.toHaveProperty('content-length')
  })

  it('keeps what the handler set, every Set-Cookie of it', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => {
      res.set('X-Mine', '1').cookie('a', '1').cookie('b', '2')
      res.sse.send('hello', null)
    })
    const { headers } = await connect(app, '/events')
    expect(headers['x-mine']).toBe('1')
    expect(headers['set-cookie']).toHaveLength(2)
  })

  it('keeps what was set for another origin, also on the 204 that ends a stream, and asks for no preflight', async () => {
    const hub = sse<AnyEvents>()
    const app = express()
    app.use((_, res, next) => {
      res.set('Access-Control-Allow-Origin', 'https://app.example')
      next()
    })
    app.use(hub)
    app.get('/events', (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    const client = await connect(app, '/events')
    for (const stream of hub.streams) stream.close()
    await client.next('sse.close')
    const again = await connect(app, `/events?lastEventId=${client.lastEventId}`)
    expect(again.status).toBe(204)
    for (const { headers } of [client, again])
      expect(headers['access-control-allow-origin']).toBe('https://app.example')
  })

  it('is not sent before the first send, so that a handler may still refuse', async () => {
    const { app } = bareApp()
    app.get('/events', (req, res) => {
      if (req.query.token === undefined) return void res.status(401).json({ error: 'token' })
      if (req.query.token === 'old') return void res.sendStatus(403)
      return res.sse.join('news')
    })
    await request(app).get('/events').expect(401, { error: 'token' })
    await request(app).get('/events?token=old').expect(403)
    expect((await connect(app, '/events?token=new')).status).toBe(200)
  })

  it('is sent before the first event, so that a client knows it is connected', async () => {
    const { app } = eventsApp()
    const wire = await dial(app)
    wire.request('GET', '/events')
    expect(await wire.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  it('tells a client close that asks for it, and closes', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => {
      res.sse.send('n', 1)
      res.sse.close()
    })
    const wire = await dial(app)
    wire.request('GET', '/events', { Connection: 'close' })
    await wire.closed
    expect(wire.text).toMatch(/\r\nConnection: close\r\n/i)
    expect(wire.text).toContain('event: sse.close')
  })

  it('leaves a close that the handler asks for, and closes', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => {
      res.setHeader('Connection', 'close')
      res.sse.send('n', 1)
      res.sse.close()
    })
    const wire = await dial(app)
    wire.request('GET', '/events')
    await wire.closed
    expect(wire.text.match(/^Connection: .*$/gm)).toEqual(['Connection: close'])
    expect(wire.text).toContain('event: sse.close')
  })

  it('says close with the last stream that a connection may have: its next request would be answered 503', async () => {
    const { app, hub } = eventsApp()
    const server = createServer(app)
    server.maxRequestsPerSocket = 2
    const wire = await dial(server)
    for (const times of [1, 2]) {
      wire.request('GET', '/events')
      await wire.until('event: sse.live', times)
      for (const stream of hub.streams) stream.disconnect()
      await wire.until('0\r\n\r\n', times)
    }
    expect(wire.text.match(/^Connection: .*$/gm)).toEqual(['Connection: keep-alive', 'Connection: close'])
  })
})

describe('res.sse', () => {
  it('costs nothing on responses that are no streams', async () => {
    const { app, hub } = bareApp()
    const disconnected = vi.fn()
    hub.on('disconnect', disconnected)
    app.get('/plain', (_, res) => {
      expect(res.sse.signal.aborted).toBe(false)
      res.json({ plain: true })
    })
    const response = await request(app).get('/plain').expect(200, { plain: true })
    expect(response.headers['content-type']).toContain('json')
    expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    expect(disconnected).not.toHaveBeenCalled()
  })

  it('works behind a body parser: reading a POST to its end is no disconnect', async () => {
    const { app, hub } = bareApp()
    app.post('/ask', express.json(), async (req, res) => {
      await res.sse.join('answers')
      res.sse.send('echo', req.body)
    })
    const stream = await connect(app, '/ask', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"q":1}',
    })
    expect((await stream.next('echo')).json).toEqual({ q: 1 })
    await hub.channel('answers').publish('a', 2)
    expect((await stream.next('a')).json).toBe(2)
    expect(hub.stats().streams).toBe(1)
  })

  it('is there in routers and sub-apps', async () => {
    const { app, hub } = bareApp()
    const sub = express()
    const router = express.Router()
    router.get('/events', (_, res) => res.sse.join('news'))
    sub.use('/router', router)
    app.use('/sub', sub)
    const stream = await connect(app, '/sub/router/events')
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
  })

  it('works on bare node:http, without the middleware', async () => {
    const hub = sse<AnyEvents>()
    const server = createServer((_, response) => void hub.stream(response).join('news'))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const stream = await connect(server, '/')
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
  })
})

describe('HEAD', () => {
  it('gets the headers and no body, so that the next answer on the connection stands alone', async () => {
    const { app, hub } = eventsApp()
    app.get('/plain', (_, res) => {
      res.send('plain')
    })
    const wire = await dial(app)
    wire.request('HEAD', '/events')
    await wire.until('\r\n\r\n')
    await hub.channel('news').publish('n', 1)
    wire.request('GET', '/plain')
    await wire.until('plain')
    const [head, second] = wire.text.split('\r\n\r\n')
    expect(head).toContain('text/event-stream')
    expect(second).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(wire.text).not.toMatch(/retry|sse\.|event:/)
    await expect.poll(() => hub.stats().streams).toBe(0)
  })

  it('gets no private events either', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => {
      res.sse.send('n', 1)
      res.sse.send('n', 2)
      res.sse.close()
    })
    await request(app).head('/events').expect(200).expect('content-type', 'text/event-stream')
  })
})

describe('HTTP/1.0', () => {
  it('gets neither chunk sizes nor Connection: keep-alive, and the end of the stream ends the connection', async () => {
    const { app, hub } = eventsApp()
    const wire = await dial(app)
    wire.request('GET', '/events', {}, '1.0')
    await wire.until('event: sse.live')
    await hub.channel('news').publish('n', { text: 'ten' })
    await wire.until('data: {"text":"ten"}\n\n')
    const [head = '', body = ''] = wire.text.split('\r\n\r\n')
    expect(head).not.toMatch(/transfer-encoding|keep-alive/i)
    expect(body).toMatch(/^retry: \d+\n\n/)
    expect(body).not.toContain('\r')
    for (const stream of hub.streams) stream.close()
    await wire.closed
    expect(wire.text).toMatch(/event: sse\.close\n.*\n\n$/s)
  })
})

describe('a connection that serves several requests', () => {
  it('carries stream after stream, each in chunks of the length that they say', async () => {
    const { app, hub } = eventsApp()
    const wire = await dial(app)
    for (let round = 1; round <= 3; round++) {
      wire.request('GET', '/events')
      await wire.until('event: sse.live', round)
      for (let n = 0; n < 5; n++) {
        await hub.channel('news').publish('n', `${'ü'.repeat(n * 1_000)}`)
        await new Promise((resolve) => setImmediate(resolve))
      }
      for (const stream of hub.streams) stream.close()
      await wire.until('0\r\n\r\n', round)
    }
    let rest = wire.text
    for (let round = 1; round <= 3; round++) {
      const [head = ''] = rest.split('\r\n\r\n', 1)
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      const { body, after } = dechunk(rest.slice(head.length + 4))
      expect(body.match(/^event: n$/gm)).toHaveLength(5)
      expect(body).toMatch(/^retry: .*event: sse\.close\n.*\n\n$/s)
      rest = after
    }
    expect(rest).toBe('')
  })

  it('carries nothing of a stream once that is over: neither late sends nor publishes reach the next answer', async () => {
    const { app, hub } = bareApp()
    const sent: boolean[] = []
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      res.sse.send('first', 1)
      res.sse.close()
      await res.sse.closed
      sent.push(res.sse.send('late', 'for somebody else'))
      res.sse.comment('late as well')
    })
    app.get('/plain', async (_, res) => {
      await hub.channel('news').publish('late', 'for somebody else')
      res.send('plain')
    })
    const wire = await dial(app)
    wire.request('GET', '/events')
    await wire.until('0\r\n\r\n')
    wire.request('GET', '/plain')
    await wire.until('plain')
    expect(wire.text.split('0\r\n\r\n')[1]).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(wire.text).not.toContain('late')
    expect(sent).toEqual([false])
  })

  it('carries nothing of a stream that the handler ended by itself', async () => {
    const { app, hub } = bareApp({ history: { length: 1 } })
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      for (let n = 0; n < 3; n++) {
        await hub.channel('news').publish('first', n)
        await new Promise((resolve) => setImmediate(resolve))
      }
      res.end()
      // The second one would evict the first, and so serves all streams at once.
      void hub.channel('news').publish('late', 'for somebody else')
      void hub.channel('news').publish('late', 'for somebody else')
      res.sse.send('late', 'for somebody else')
    })
    app.get('/plain', (_, res) => {
      res.send('plain')
    })
    const wire = await dial(app)
    wire.request('GET', '/events')
    await wire.until('0\r\n\r\n')
    wire.request('GET', '/plain')
    await wire.until('plain')
    expect(wire.text).toContain('event: first')
    expect(wire.text.split('0\r\n\r\n')[1]).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(wire.text).not.toContain('late')
    await expect.poll(() => hub.stats().streams).toBe(0)
  })

  it('refuses a pipelined second stream, which could neither be written to nor be seen to leave', async () => {
    const { app, hub, errors } = bareApp()
    app.get('/events', (_, res) => void res.sse.join('news'))
    const wire = await dial(app)
    wire.request('GET', '/events')
    wire.request('GET', '/events')
    await wire.until('event: sse.live')
    await expect.poll(() => errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code: 'ERR_SSE_PIPELINED', status: 400 })
    expect(hub.stats().streams).toBe(1)
    wire.socket.destroy()
    await expect.poll(() => hub.stats().streams).toBe(0)
  })

  it('answers 400 to the pipelined stream once the first one is over', async () => {
    const { app, hub } = eventsApp()
    const wire = await dial(app)
    wire.request('GET', '/events')
    wire.request('GET', '/events')
    await wire.until('event: sse.live')
    for (const stream of hub.streams) stream.disconnect()
    await wire.until('HTTP/1.1 400')
  })

  it('is no longer timed out by the server, however quiet it is', async () => {
    const { app, hub } = eventsApp()
    const server = createServer(app)
    server.timeout = 60
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const stream = await connect(server, '/events')
    await stream.next('sse.live')
    // The server cuts what is as quiet, and began later.
    for (let n = 0; n < 2; n++) await (await dial(server)).closed
    expect(hub.streams.size).toBe(1)
    await hub.channel('news').publish('n', 1)
    expect(await stream.next('n')).toMatchObject({ json: 1 })
  })
})

describe('clean-up', () => {
  it('hears that the client left from the response or its socket, and leaves nothing behind', async () => {
    const { app, hub } = eventsApp()
    const streams = await Promise.all(Array.from({ length: 10 }, () => connect(app, '/events?channels=a,b')))
    expect(hub.stats()).toMatchObject({ streams: 10, channels: 2 })
    await Promise.all(streams.map((stream) => stream.drop()))
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    expect(hub.channel('a').size).toBe(0)
  })

  it('adds a constant number of listeners, however often the stream joins', async () => {
    const { app } = bareApp()
    const counts: number[] = []
    app.get('/events', async (req, res) => {
      const count = () =>
        [res, req, req.socket].reduce(
          (sum, emitter) =>
            sum + emitter.eventNames().reduce((n, name) => n + emitter.listenerCount(name), 0),
          0,
        )
      await res.sse.join('c0')
      counts.push(count())
      for (let n = 1; n < 50; n++) await res.sse.join(`c${n}`)
      counts.push(count())
      res.sse.send('joined', null)
    })
    const stream = await connect(app, '/events')
    await stream.next('joined')
    expect(counts[1]).toBe(counts[0])
  })

  it('takes its listeners off a connection that goes on to serve other requests', async () => {
    const { app } = bareApp()
    let listeners = 0
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      res.sse.close()
    })
    app.get('/count', (req, res) => {
      const { socket } = req
      listeners = socket.eventNames().reduce((n, name) => n + socket.listenerCount(name), 0)
      res.send('counted')
    })
    const wire = await dial(app)
    const ask = async (path: string, answer: string, times: number): Promise<number> => {
      wire.request('GET', path)
      await wire.until(answer, times)
      return listeners
    }
    const before = await ask('/count', 'counted', 1)
    for (let n = 1; n <= 15; n++) await ask('/events', '0\r\n\r\n', n)
    expect(await ask('/count', 'counted', 2)).toBe(before)
  })

  it('runs one timer for all streams, and none when they are gone', async () => {
    const started = vi.spyOn(globalThis, 'setInterval')
    const stopped = vi.spyOn(globalThis, 'clearInterval')
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    const hub = sse<AnyEvents>()
    const app = express().get('/events', hub, (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    await serve(app)
    started.mockClear()
    const streams = await Promise.all(Array.from({ length: 20 }, () => connect(app, '/events')))
    expect(started).toHaveBeenCalledTimes(1)
    await Promise.all(streams.map((stream) => stream.drop()))
    await expect.poll(() => hub.stats().streams).toBe(0)
    expect(stopped.mock.calls.map(([timer]) => timer)).toContain(started.mock.results[0]?.value)
  })
})

describe('behind compression', () => {
  it('every event comes out at once, and nothing is compressed', async () => {
    const hub = sse<AnyEvents>()
    const app = express()
      .use(compression({ threshold: 0 }))
      .use(hub)
    app.get('/events', (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    const stream = await connect(app, '/events', { headers: { 'accept-encoding': 'gzip, br' } })
    expect(stream.headers).not.toHaveProperty('content-encoding')
    for (let n = 0; n < 5; n++) {
      await hub.channel('news').publish('n', n)
      expect((await stream.next('n')).json).toBe(n)
    }
  })

  it('that compresses all the same, every event is flushed', async () => {
    const hub = sse<AnyEvents>()
    const app = express()
      // A gateway that does not heed `no-transform`.
      .use((_, res, next) => {
        const { setHeader } = res
        res.setHeader = function (name, value) {
          return setHeader.call(this, name, name.toLowerCase() === 'cache-control' ? 'no-cache' : value)
        }
        next()
      })
      .use(compression({ threshold: 0, filter: () => true }))
      .use(hub)
    app.get('/events', (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    const response = await fetch(`${await serve(app)}/events`, { headers: { 'accept-encoding': 'gzip' } })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (let n = 0; n < 3; n++) {
      await hub.channel('news').publish('n', n)
      while (!text.includes(`event: n\ndata: ${n}\n\n`)) text += (await reader?.read())?.value ?? ''
    }
    await reader?.cancel()
    await expect.poll(() => hub.stats().streams).toBe(0)
  })

  it('a reader that takes nothing is noticed, and cut off in time', async () => {
    const hub = sse<AnyEvents>({ stallTimeout: 60, heartbeat: 30, history: { bytes: 2_000_000 } })
    const app = express()
      .use(compression({ filter: () => true }))
      .use(hub)
    app.get('/events', (_, res) => res.sse.join('news'))
    onTestFinished(() => stopServing(app))
    const stream = await connect(app, '/events', { headers: { 'accept-encoding': 'gzip' } })
    stream.pause()
    while (hub.stats().streams > 0) {
      await hub.channel('news').publish('n', 'x'.repeat(100_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(hub.stats().streams).toBe(0)
  })
})

describe('behind a wrapper of write that returns nothing', () => {
  /** As loggers of bodies are often written. */
  const silent: RequestHandler = (_, res, next) => {
    const { write } = res
    Reflect.set(res, 'write', (...args: unknown[]): void => {
      Reflect.apply(write, res, args)
    })
    next()
  }

  const wrapped = { alone: [silent], 'over compression': [compression(), silent] }

  describe.each(Object.entries(wrapped))('%s', (_, wrappers) => {
    it('every event comes out at once', async () => {
      const hub = sse<AnyEvents>()
      const app = express().use(wrappers, hub)
      app.get('/events', (_, res) => res.sse.join('news'))
      onTestFinished(() => stopServing(app))
      const stream = await connect(app, '/events')
      for (let n = 0; n < 5; n++) {
        await hub.channel('news').publish('n', n)
        expect((await stream.next('n')).json).toBe(n)
      }
    })

    it('a slow reader is waited for, and catches up', async () => {
      const hub = sse<AnyEvents>({ history: { bytes: 20_000_000 } })
      const app = express().use(wrappers, hub)
      let response: ServerResponse | undefined
      app.get('/events', (_, res) => {
        response = res
        return res.sse.join('news')
      })
      onTestFinished(() => stopServing(app))
      const stream = await connect(app, '/events')
      stream.pause()
      const count = 100
      for (let n = 0; n < count; n++) {
        await hub.channel('news').publish('n', [n, 'x'.repeat(100_000)])
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(response?.writableLength).toBeLessThan(1_000_000)
      stream.unpause()
      for (let n = 0; n < count; n++) expect((await stream.next('n')).data).toMatch(new RegExp(`^\\[${n},`))
    })
  })
})

describe('foreign clients', () => {
  it("npm's eventsource resumes after its connection was cut, and takes 204 after sse.close for the end", async () => {
    const { app, hub } = eventsApp({ retry: 20 })
    const seen: unknown[] = []
    const source = new EventSource(`${await serve(app)}/events`)
    onTestFinished(() => source.close())
    source.addEventListener('n', ({ data }) => seen.push(JSON.parse(data)))
    await expect.poll(() => hub.stats().streams).toBe(1)
    await hub.channel('news').publish('n', 1)
    await expect.poll(() => seen).toEqual([1])
    const disconnected = new Promise((resolve) => hub.on('disconnect', resolve))
    hub.channel('news').disconnect()
    await disconnected
    await hub.channel('news').publish('n', 2)
    await expect.poll(() => seen).toEqual([1, 2])
    await hub.channel('news').end()
    await expect.poll(() => source.readyState).toBe(source.CLOSED)
  })

  it("npm's eventsource, cut before the first event, misses nothing: the cursor came with sse.live", async () => {
    const { app, hub } = eventsApp({ retry: 20 })
    const seen: unknown[] = []
    const source = new EventSource(`${await serve(app)}/events`)
    onTestFinished(() => source.close())
    source.addEventListener('n', ({ data }) => seen.push(JSON.parse(data)))
    await new Promise((resolve) => source.addEventListener('sse.live', resolve))
    const disconnected = new Promise((resolve) => hub.on('disconnect', resolve))
    hub.channel('news').disconnect()
    await disconnected
    await hub.channel('news').publish('n', 1)
    await expect.poll(() => seen).toEqual([1])
  })

  it('curl shows the stream as it is, and resumes with Last-Event-ID', async () => {
    const { app, hub } = eventsApp()
    const before = await hub.cursor()
    await hub.channel('news').publish('headline', { title: 'Hello' })
    const id = await hub.channel('news').end()
    const url = `${await serve(app)}/events`
    const { stdout } = await promisify(execFile)('curl', ['-sN', '-H', `Last-Event-ID: ${before}`, url])
    expect(stdout.replace(/^retry: \d+/, 'retry: 1')).toMatch(
      new RegExp(
        [
          '^retry: 1\n',
          `event: sse.open\nid: ${before}\ndata: {"heartbeat":15000,"resumed":true,"replay":1}\n`,
          'id: [a-z0-9]+-1\nevent: headline\ndata: {"title":"Hello"}\n',
          `event: sse.live\nid: ${id}\ndata: {}\n`,
          `event: sse.close\nid: ${id}~\ndata: {"reason":"done"}\n\n$`,
        ].join('\n'),
      ),
    )
  })
})

/** Takes a body in chunks apart, strictly: what it says, and what stands behind it. */
function dechunk(text: string): { readonly body: string; readonly after: string } {
  let body = ''
  for (let at = 0; ; ) {
    const [, digits = ''] = /^([0-9a-f]+)\r\n/.exec(text.slice(at)) ?? []
    const size = Number.parseInt(digits, 16)
    const from = at + digits.length + 2
    expect(text.slice(from + size, from + size + 2)).toBe('\r\n')
    if (size === 0) return { body, after: text.slice(from + 2) }
    body += text.slice(from, from + size)
    at = from + size + 2
  }
}
