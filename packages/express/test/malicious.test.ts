import { createServer } from 'node:http'
import { connect, serve } from '@sse/express/testing'
import { createDecoder, type DecodedEvent } from '@sse/protocol'
import { assert, asyncProperty, constantFrom, oneof, string } from 'fast-check'
import request from 'supertest'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bareApp, channelsOf, eventsApp } from './app.ts'
import { dial } from './wire.ts'

/** What a browser makes of bytes. */
function dispatched(raw: string): readonly DecodedEvent[] {
  const events: DecodedEvent[] = []
  createDecoder({ onEvent: (event) => events.push(event) }).feed(raw)
  return events
}

const LINE_ENDS = ['\n', '\r', '\r\n', '\n\n', '\0'] as const

describe('line ends and NUL', () => {
  it.each(LINE_ENDS)('in the name of an event are refused: %j', async (end) => {
    const { app, hub } = bareApp()
    const refused: unknown[] = []
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      try {
        res.sse.send(`a${end}id: forged`, 1)
      } catch (error) {
        refused.push(error)
      }
      res.sse.send('after', null)
    })
    const stream = await connect(app, '/events')
    await stream.next('after')
    expect(refused).toMatchObject([{ code: 'ERR_SSE_EVENT_NAME' }])
    await expect(hub.channel('news').publish(`a${end}data: forged`, 1)).rejects.toMatchObject({
      code: 'ERR_SSE_EVENT_NAME',
    })
    expect(stream.raw).not.toContain('forged')
  })

  it.each(LINE_ENDS)('in data, comments, channels and reasons forge nothing: %j', async (end) => {
    const forged = `x${end}event: forged${end}id: forged${end}retry: 1${end}data: forged${end}${end}`
    const { app, hub } = bareApp({ history: { length: 1 } })
    app.get('/events', async (_, res) => {
      await res.sse.join([forged])
      res.sse.comment(forged)
      res.sse.send('honest', forged)
      res.sse.close(forged)
    })
    const before = await hub.cursor()
    await hub.channel(forged).publish('honest', { [forged]: forged })
    await hub.channel(forged).publish('honest', { [forged]: forged })
    const stream = await connect(app, '/events', { lastEventId: before })
    const seen = await stream.rest()
    expect(dispatched(stream.raw)).toHaveLength(seen.length)
    for (const { event, id } of dispatched(stream.raw)) {
      expect(event).toMatch(/^(sse\.\w+|honest)$/)
      expect(id).not.toContain('forged')
    }
    expect(stream.retry).not.toBe(1)
    expect(seen.find(({ event }) => event === 'sse.gap')?.json).toMatchObject({ channels: [forged] })
  })
})

describe('reserved names', () => {
  it.each(['sse.open', 'sse.close', 'sse.anything', 'open', 'error', '*', ''])(
    '%j cannot be sent or published',
    async (name) => {
      const { app, hub } = bareApp()
      app.get('/events', (_, res) => {
        res.sse.send(name, 1)
      })
      await request(app).get('/events').expect(500)
      await expect(hub.channel('news').publish(name, 1)).rejects.toMatchObject({ name: 'ContractError' })
    },
  )
})

describe('a hostile Last-Event-ID', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a path', '../../../etc/passwd'],
    ['a script', '"><script>alert(1)</script>'],
    ['a template', '{{7*7}} <%= process.exit(1) %>'],
    ['binary', '\xff\xfe\x80'],
    ['a long one', 'a'.repeat(8_000)],
    ['a regular expression killer', `${'a'.repeat(4_000)}-`],
    ['a format string', '%s%s%n%00'],
    ['an id of another library', '1700000000000-0'],
    ['a negative position', 'epoch--1'],
    ['another epoch', 'k3f9a2c1-1z'],
    ['another epoch, far ahead', 'k3f9a2c1-2gosa7pa2gv'],
  ]

  it.each(cases)('gets a gap and what is retained, never an error and never an echo: %s', async (_, id) => {
    const { app, hub } = eventsApp()
    await hub.channel('news').publish('n', 'retained')
    const stream = await connect(app, '/events', { lastEventId: id })
    expect(stream.status).toBe(200)
    const events = await stream.upTo('sse.live')
    expect(events.map(({ event }) => event)).toEqual(['sse.open', 'sse.gap', 'n', 'sse.live'])
    expect(events[0]?.json).toMatchObject({ resumed: false })
    expect(stream.raw).not.toContain(id)
  })

  it('in the query gets the same: %00, %0a and all', async () => {
    const { app } = eventsApp()
    for (const id of ['%00', '%0aevent:%20forged', '%ff%fe', '%', '+', 'a&lastEventId=b']) {
      const stream = await connect(app, `/events?lastEventId=${id}`)
      const events = await stream.upTo('sse.live')
      expect(events.map(({ event }) => event)).toEqual(['sse.open', 'sse.gap', 'sse.live'])
      await stream.drop()
    }
  })

  it('of a future position of this very log gets the same, and does not make the stream wait for it', async () => {
    const { app, hub } = eventsApp()
    await hub.channel('news').publish('n', 'retained')
    const [epoch] = (await hub.cursor()).split('-')
    const stream = await connect(app, '/events', { lastEventId: `${epoch}-zzzz` })
    const events = await stream.upTo('sse.live')
    expect(events[1]?.json).toEqual({ channels: ['news'], reason: 'unknown' })
    await hub.channel('news').publish('n', 'live')
    expect((await stream.next('n')).json).toBe('live')
  })

  it('of 64 KB is refused by Node, or judged at once where Node lets it in', async () => {
    const { app } = eventsApp()
    const huge = 'a'.repeat(64 * 1024)
    expect((await connect(app, '/events', { lastEventId: huge })).status).toBe(431)
    const server = createServer({ maxHeaderSize: 1_000_000 }, app)
    const stream = await connect(server, '/events', { lastEventId: huge })
    expect((await stream.upTo('sse.live')).map(({ event }) => event)).toContain('sse.gap')
    server.closeAllConnections()
    server.close()
  })

  it('sent twice is one that is none', async () => {
    const { app } = eventsApp()
    const wire = await dial(app)
    wire.send('GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: a-1\r\nLast-Event-ID: b-2\r\n\r\n')
    expect(await wire.until('event: sse.live')).toContain('event: sse.gap')
  })

  it('is no capability: who may not join gets nothing by it, and who may gets no other channel', async () => {
    const { app, hub } = bareApp()
    app.get('/events', async (req, res) => {
      if (req.query.user !== 'ada') return void res.sendStatus(403)
      await res.sse.join('ada')
    })
    const before = await hub.cursor()
    await hub.channel('bob').publish('secret', 'of bob')
    await hub.channel('ada').publish('n', 'of ada')
    await hub.channel('bob').publish('secret', 'of bob')
    expect((await connect(app, '/events?user=bob', { lastEventId: before })).status).toBe(403)
    const ada = await connect(app, '/events?user=ada', { lastEventId: before })
    await ada.next('sse.live')
    expect(ada.raw).toContain('of ada')
    expect(ada.raw).not.toContain('of bob')
  })

  it('of any kind never hurts anyone: no crash, no forged event, no error page', async () => {
    const { app, hub, errors } = eventsApp()
    const bystander = await connect(app, '/events')
    await hub.channel('news').publish('n', 1)
    const header = string({
      unit: constantFrom(...'ab01zZ-~._%/\\"\'<>{}$ \t', '\x80', '\xff'),
      maxLength: 40,
    }).map((text) => text.trim())
    const nearly = string({ unit: constantFrom('0', 'z', '-', '~'), maxLength: 14 }).map(
      (text) => `epoch${text}`,
    )
    await assert(
      asyncProperty(oneof(header, nearly), async (id) => {
        const stream = await connect(app, '/events', { lastEventId: id })
        if (id.endsWith('~') && stream.status === 204) return
        const events = await stream.upTo('sse.live')
        for (const { event } of events) expect(event).toMatch(/^(sse\.(open|gap|live)|n)$/)
        await stream.drop()
      }),
      { numRuns: 150 },
    )
    await hub.channel('news').publish('n', 2)
    await bystander.next('n')
    expect((await bystander.next('n')).json).toBe(2)
    expect(errors).toEqual([])
  })
})

describe('hostile channel names', () => {
  it.each([
    ['a wildcard', '*', 'user:ada'],
    ['a pattern', 'user:*', 'user:ada'],
    ['a prefix', 'user:', 'user:ada'],
    ['another case', 'USER:ADA', 'user:ada'],
    ['a look-alike', 'usеr:ada', 'user:ada'],
    ['a decomposed look-alike', 'cafe\u0301', 'caf\u00e9'],
    ['a zero-width space', 'user:\u200bada', 'user:ada'],
    ['a trailing space', 'user:ada ', 'user:ada'],
    ['NUL', 'user\0ada', 'user'],
    ['a path', 'a/../user:ada', 'user:ada'],
    ['a prototype', '__proto__', 'constructor'],
  ])('read no other channel: %s', async (_, asked, secret) => {
    const { app, hub } = bareApp()
    app.get('/events', (_req, res) => res.sse.join(asked, { last: Number.POSITIVE_INFINITY }))
    await hub.channel(secret).publish('secret', 1)
    const stream = await connect(app, '/events')
    await hub.channel(secret).publish('secret', 2)
    await hub.channel(asked).publish('marker', null)
    const events = await stream.upTo('marker')
    expect(events.map(({ event }) => event)).not.toContain('secret')
    expect(hub.channel(asked).size).toBe(1)
  })

  it('that are no names at all are refused with 400', async () => {
    const { app, errors } = bareApp()
    app.get('/events', (req, res) => res.sse.join(req.query.channel as string))
    for (const query of ['', '?channel=', '?channel[x]=1', '?channel[]=a&channel[][x]=1']) {
      const response = await request(app).get(`/events${query}`)
      expect([query, response.status]).toEqual([query, 400])
    }
    expect(errors).toEqual([])
  })

  it('with half a surrogate pair, which another encoding would merge, are refused', async () => {
    const { hub } = bareApp()
    expect(() => hub.channel('user:\ud800')).toThrow(
      expect.objectContaining({ code: 'ERR_SSE_CHANNEL_NAME' }),
    )
    expect(() => hub.channel('user:😀')).not.toThrow()
  })
})

describe('hostile requests', () => {
  it.each([
    'Host: user:password@evil',
    'Host: ',
    'Host: [::1',
    'Origin: null',
    'X-Forwarded-For: \x01\x02',
    'Accept: text/html',
    'Cookie: \xff\xff',
    'Cache-Control: only-if-cached',
    'Expect: 200-ok',
  ])('with "%s" crash nothing', async (header) => {
    const { app, hub } = eventsApp()
    const wire = await dial(app)
    wire.send(`GET /events HTTP/1.1\r\n${header.startsWith('Host') ? '' : 'Host: x\r\n'}${header}\r\n\r\n`)
    expect(await wire.until('HTTP/1.1 ')).toBeDefined()
    wire.socket.destroy()
    const stream = await connect(app, '/events')
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
  })

  it.each(['//', '/events?', '/events?&&&', '/events?lastEventId', '/events?%', '/\\evil', '*'])(
    'with the target %s crash nothing',
    async (target) => {
      const { app, hub } = eventsApp()
      const wire = await dial(app)
      wire.request('GET', target)
      await wire.until('HTTP/1.1 ')
      const stream = await connect(app, '/events')
      await hub.channel('news').publish('n', 1)
      expect((await stream.next('n')).json).toBe(1)
    },
  )

  it('from a hostile Origin are not told that they may read', async () => {
    const { app } = eventsApp()
    const { headers } = await connect(app, '/events', {
      headers: { origin: 'https://evil.example', cookie: 'session=1' },
    })
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('that fail do not show the inside of the error', async () => {
    const { app } = eventsApp({ limits: { streams: 0 } })
    app.set('env', 'production')
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => {
      logged.mockRestore()
    })
    const stream = await connect(app, '/events?token=secret')
    await stream.ended
    expect(stream.status).toBe(503)
    expect(stream.raw).not.toMatch(/secret|limits|node_modules/)
    await expect.poll(() => logged).toHaveBeenCalledTimes(1)
  })

  it('do not put what their query carries, such as a token, into an error', async () => {
    const { app, errors } = bareApp({ limits: { streams: 0 } })
    app.get('/events', (req, res) => void res.sse.join(channelsOf(req)))
    await connect(app, '/events?token=secret&lastEventId=secret', { headers: { authorization: 'secret' } })
    await expect.poll(() => errors).toHaveLength(1)
    expect(JSON.stringify(errors[0], Object.getOwnPropertyNames(errors[0]))).not.toContain('secret')
  })

  it('that trickle their bytes hold up nobody else', async () => {
    const { app, hub } = eventsApp()
    const slow = await dial(app)
    slow.send('GET /events HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    const stream = await connect(app, '/events')
    slow.send('a')
    await hub.channel('news').publish('n', 1)
    expect((await stream.next('n')).json).toBe(1)
    slow.send('\r\n\r\n')
    await slow.until('event: sse.live')
  })

  it('that send a body which nobody reads cannot disturb the stream, nor hide that they left', async () => {
    const { app, hub } = eventsApp({ heartbeat: 50 })
    const wire = await dial(await serve(app))
    wire.send('GET /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
    await wire.until('event: sse.live')
    wire.send('x'.repeat(100_000))
    await hub.channel('news').publish('n', 1)
    await wire.until('event: n')
    wire.socket.destroy()
    await expect.poll(() => hub.stats().streams).toBe(0)
  })
})
