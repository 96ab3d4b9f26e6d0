import { createServer } from 'node:http'
import { sse } from '@sse/express'
import { connect, serve, stopServing } from '@sse/express/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bareApp, eventsApp } from './app.ts'

describe('connect', () => {
  it('opens a stream of an app, which gets a server of its own', async () => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events')
    expect(stream.status).toBe(200)
    await hub.channel('news').publish('headline', { title: 'Hello' })
    expect((await stream.next('headline')).json).toEqual({ title: 'Hello' })
  })

  it('takes an app, a server, or the origin of one that runs', async () => {
    const hub = sse()
    const server = createServer((_, response) => hub.stream(response).send('hello', null))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const first = await connect(server, '/')
    const second = await connect(await serve(server), '/')
    expect(await first.next('hello')).toMatchObject({ data: 'null' })
    expect(await second.next('hello')).toMatchObject({ data: 'null' })
  })

  it('resolves with the status of a refusal as well', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => res.status(401).set('WWW-Authenticate', 'Bearer').end())
    const stream = await connect(app, '/events')
    expect(stream).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    await expect(stream.next()).rejects.toThrow(
      'No event before the stream ended; status 401, seen: nothing.',
    )
  })

  it('sends methods, headers and bodies', async () => {
    const { app } = bareApp()
    app.post('/ask', (req, res) => {
      let body = ''
      req.setEncoding('utf8').on('data', (chunk) => {
        body += chunk
      })
      req.on('end', () => res.sse.send('echo', { body, by: req.get('x-by') }))
    })
    const stream = await connect(app, '/ask', { method: 'POST', body: 'question', headers: { 'X-By': 'me' } })
    expect((await stream.next('echo')).json).toEqual({ body: 'question', by: 'me' })
  })
})

describe('a test stream', () => {
  it('says which events came instead of the one that was waited for', async () => {
    const { app } = eventsApp()
    const stream = await connect(app, '/events', { timeout: 50 })
    await expect(stream.next('headline')).rejects.toThrow(
      "No 'headline' within 50 ms; status 200, seen: sse.open, sse.live.",
    )
  })

  it('hands out each event once, in order, and passes over others when asked by name', async () => {
    const { app } = bareApp()
    app.get('/events', (_, res) => {
      for (const name of ['a', 'b', 'c', 'd']) res.sse.send(name, name)
      res.sse.close()
    })
    const stream = await connect(app, '/events')
    expect((await stream.next('b')).json).toBe('b')
    expect((await stream.next()).event).toBe('c')
    expect((await stream.upTo('sse.close')).map(({ event }) => event)).toEqual(['d', 'sse.close'])
    expect(await stream.rest()).toEqual([])
    expect(stream.all().map(({ event }) => event)).toEqual(['sse.open', 'a', 'b', 'c', 'd', 'sse.close'])
  })

  it('drops the connection and resumes with the last event id', async () => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events')
    await hub.channel('news').publish('headline', 1)
    await stream.next('headline')
    await stream.drop()
    await hub.channel('news').publish('headline', 2)
    const again = await stream.resume()
    expect((await again.next('sse.open')).json).toMatchObject({ resumed: true })
    expect((await again.next('headline')).json).toBe(2)
  })

  it('knows the retry time and the comments', async () => {
    const { app } = bareApp({ retry: 1_000 })
    app.get('/events', (_, res) => {
      res.sse.comment('hi')
      res.sse.send('done', null)
    })
    const stream = await connect(app, '/events')
    await stream.next('done')
    expect(stream.comments).toEqual(['hi'])
    expect(stream.retry).toBeGreaterThanOrEqual(500)
    expect(stream.retry).toBeLessThanOrEqual(1_500)
  })
})

describe('stopServing', () => {
  it('ends the streams of an app and its server', async () => {
    const { app, hub } = eventsApp()
    const stream = await connect(app, '/events')
    const origin = await serve(app)
    await stopServing(app)
    await stream.ended
    await expect(connect(origin, '/events')).rejects.toThrow('ECONNREFUSED')
    await expect.poll(() => hub.stats().streams).toBe(0)
  })
})
