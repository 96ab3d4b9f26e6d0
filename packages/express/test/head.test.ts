import { createServer, type IncomingMessage, OutgoingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AnyEvents } from '@sse/contract'
import { type Hub, sse } from '@sse/express'
import express, { type Request, type Response } from 'express'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bareApp } from './app.ts'
import { dial } from './wire.ts'

type Handle = (req: Request, res: Response) => void

/** An answer without what differs from one time to another. */
const stripped = (text: string): string =>
  text.replace(/^Date: .*$/m, 'Date: now').replace(/^retry: \d+$/gm, 'retry: 0')

/** Whether Node made the head: it leaves the reason in the response. */
const madeByNode = (res: ServerResponse): boolean => Object.hasOwn(res, 'statusMessage')

interface Answer {
  readonly text: string
  readonly byNode: boolean
}

/** What a request is answered with, byte by byte, up to an event. */
async function answer(handle: Handle, request: string, wrap = false): Promise<Answer> {
  const { app } = bareApp()
  let byNode = false
  app.get('/events', (req, res) => {
    // Whoever wraps a method is to hear of it, so that Node makes the head.
    if (wrap) res.setHeader = res.setHeader.bind(res)
    handle(req, res)
    res.sse.send('last', null)
    byNode = madeByNode(res)
    res.sse.close()
  })
  app.post('/events', (req, res, next) => app.router(Object.assign(req, { method: 'GET' }), res, next))
  const wire = await dial(app)
  wire.send(request)
  await wire.until(request.startsWith('HEAD') ? '\r\n\r\n' : 'sse.close')
  return { text: stripped(wire.text), byNode }
}

const GET = 'GET /events HTTP/1.1\r\nHost: test\r\n\r\n'
const nothing: Handle = () => {}

const handlers: Readonly<Record<string, readonly [handle: Handle, byNode: boolean]>> = {
  'sets nothing': [nothing, false],
  'sets a header': [(_, res) => res.setHeader('X-Mine', '1'), false],
  'sets several, in a case of its own': [
    (_, res) => res.setHeader('x-mINE', '1').setHeader('Vary', 'Origin').setHeader('X-MINE', '2'),
    false,
  ],
  'sets a header that is not ASCII': [(_, res) => res.setHeader('X-Mine', 'café'), false],
  'takes headers back': [(_, res) => void res.setHeader('X-Mine', '1').removeHeader('X-Powered-By'), false],
  'says 200 itself': [(_, res) => res.status(200), false],
  'sets a number': [(_, res) => res.setHeader('X-Mine', 1), true],
  'sets cookies': [(_, res) => res.cookie('a', '1').cookie('b', '2'), true],
  'sets a content type': [(_, res) => res.setHeader('Content-Type', 'text/plain'), true],
  'sets a content length': [(_, res) => res.setHeader('Content-Length', 5), true],
  'sets a status': [(_, res) => res.status(201), true],
  'sets a reason': [(_, res) => Object.assign(res, { statusMessage: 'Fine' }), true],
  'asks for close': [(_, res) => res.setHeader('Connection', 'close'), true],
  'wants no keep-alive': [(_, res) => Object.assign(res, { shouldKeepAlive: false }), true],
  'is the last of its connection': [
    (_, res) => Object.assign(res, { maxRequestsOnConnectionReached: true }),
    true,
  ],
  'wants no date': [(_, res) => Object.assign(res, { sendDate: false }), true],
  'removes the date': [(_, res) => res.removeHeader('Date'), true],
  'sets a date': [(_, res) => res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT'), true],
  'wants no chunks': [(_, res) => Object.assign(res, { useChunkedEncodingByDefault: false }), true],
  'removes the transfer encoding': [(_, res) => res.removeHeader('Transfer-Encoding'), true],
  'sets the transfer encoding': [(_, res) => res.setHeader('Transfer-Encoding', 'chunked'), true],
  'announces trailers': [(_, res) => res.setHeader('Trailer', 'X-Sum'), true],
  'holds the response back': [
    (_, res) => {
      res.cork()
      setImmediate(() => res.uncork())
    },
    true,
  ],
}

const requests: Readonly<Record<string, readonly [request: string, byNode: boolean]>> = {
  'of HTTP/1.0': ['GET /events HTTP/1.0\r\n\r\n', true],
  'of HTTP/1.0 that keeps its connection': ['GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', true],
  'for the head alone': ['HEAD /events HTTP/1.1\r\nHost: test\r\n\r\n', true],
  'that asks for close': ['GET /events HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n', true],
  'that keeps its connection': [
    'GET /events HTTP/1.1\r\nHost: test\r\nConnection: keep-alive\r\n\r\n',
    false,
  ],
  'that expects something': [
    'GET /events HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n',
    true,
  ],
  'with a body': ['POST /events HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}', false],
}

describe('the bytes of the head are those of Node', () => {
  it.each(Object.entries(handlers))('where the handler %s', async (_, [handle, byNode]) => {
    const made = await answer(handle, GET)
    expect(made.byNode).toBe(byNode)
    expect(await answer(handle, GET, true)).toEqual({ ...made, byNode: true })
  })

  it.each(Object.entries(requests))('for a request %s', async (_, [request, byNode]) => {
    const made = await answer(nothing, request)
    expect(made.byNode).toBe(byNode)
    expect(await answer(nothing, request, true)).toEqual({ ...made, byNode: true })
  })

  it.each<[string, Handle, string]>([
    [
      'to be a GET, of a HEAD',
      (req) => Object.assign(req, { method: 'GET' }),
      'HEAD /events HTTP/1.1\r\nHost: test\r\n\r\n',
    ],
    [
      'to go on, of HTTP/1.0 with chunks',
      (_, res) => Object.assign(res, { shouldKeepAlive: true }),
      'GET /events HTTP/1.0\r\nTE: chunked\r\n\r\n',
    ],
  ])('for a request that was made %s', async (_, handle, request) => {
    const made = await answer(handle, request)
    expect(made.byNode).toBe(true)
    expect(await answer(handle, request, true)).toEqual(made)
  })

  it('whatever else the handler says', async () => {
    const names = fc.constantFrom(
      'X-A',
      'x-b',
      'Vary',
      'ETag',
      'Link',
      'Content-Type',
      'Date',
      'Expect',
      'Keep-Alive',
    )
    const value = fc.string({ unit: fc.constantFrom('a', 'b', ' ', ',', ';', '"', 'é', '~'), maxLength: 8 })
    const headers = fc.dictionary(names, fc.oneof(value, fc.nat(99), fc.array(value, { maxLength: 2 })))
    await fc.assert(
      fc.asyncProperty(headers, async (headers) => {
        const handle: Handle = (_, res) => {
          for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
        }
        const { text } = await answer(handle, GET)
        expect((await answer(handle, GET, true)).text).toBe(text)
      }),
      { numRuns: 40 },
    )
  })
})

describe('a response whose head was sent', () => {
  async function opened(handle: Handle = nothing): Promise<Response> {
    const { app } = bareApp()
    const wire = await dial(app)
    const response = new Promise<Response>((resolve) => {
      app.get('/events', (req, res) => {
        handle(req, res)
        void res.sse.join('news')
        resolve(res)
      })
    })
    wire.send(GET)
    await wire.until('sse.live')
    return response
  }

  it('says so, and takes no more headers', async () => {
    const response = await opened()
    expect(madeByNode(response)).toBe(false)
    expect(response).toMatchObject({ headersSent: true, statusCode: 200, writableEnded: false })
    const late = expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' })
    expect(() => response.setHeader('X-Mine', '1')).toThrow(late)
    expect(() => response.writeHead(204)).toThrow(late)
    expect(() => response.sendStatus(204)).toThrow(late)
  })

  it('tells all of its headers, its own ones too', async () => {
    for (const mine of ['1', '2', '1']) {
      const handle: Handle = (_, res) => res.setHeader('X-Mine', mine)
      const byNode = await opened((req, res) => {
        handle(req, res)
        res.setHeader = res.setHeader.bind(res)
      })
      const response = await opened(handle)
      expect(response.getHeaders()).toEqual(byNode.getHeaders())
      expect(response.getHeaders()).toMatchObject({ 'x-mine': mine, 'content-type': 'text/event-stream' })
      expect(response.getHeaderNames()).toEqual(byNode.getHeaderNames())
    }
  })

  it('is not timed out by its server', async () => {
    const { app } = bareApp()
    const server = createServer(app)
    server.timeout = 60_000
    const sockets: Socket[] = []
    app.get('/events', (req, res) => {
      sockets.push(req.socket)
      return res.sse.join('news')
    })
    const wire = await dial(server)
    wire.send(GET)
    await wire.until('sse.live')
    expect(sockets[0]?.timeout).toBe(0)
  })

  it('can be written to and ended by the application, and its connection serves the next request', async () => {
    const { app } = bareApp()
    app.get('/events', async (_, res) => {
      await res.sse.join('news')
      res.write(': mine\n\n')
      res.end(': over\n\n')
    })
    const wire = await dial(app)
    wire.send(GET)
    await wire.until('0\r\n\r\n')
    expect(wire.text).toMatch(/: mine\n\n\r\n8\r\n: over\n\n\r\n0\r\n\r\n$/)
    wire.send(GET)
    const text = await wire.until('0\r\n\r\n', 2)
    expect(text.split('HTTP/1.1 200 OK')).toHaveLength(3)
  })
})

/** A hub of a library that is loaded now. */
async function loaded(): Promise<Hub<AnyEvents>> {
  vi.resetModules()
  onTestFinished(() => void vi.resetModules())
  const hub = (await import('@sse/express')).sse<AnyEvents>()
  onTestFinished(() => hub.close())
  return hub
}

/** Opens a stream; returns whether Node made its head. */
async function open(hub: Hub<AnyEvents>, handle: Handle = nothing): Promise<boolean> {
  const app = express().use(hub)
  let byNode = false
  app.get('/events', async (req, res) => {
    handle(req, res)
    await hub.stream(res).join('news')
    byNode = madeByNode(res)
  })
  const wire = await dial(createServer(app))
  wire.send(GET)
  await wire.until('sse.live')
  return byNode
}

describe('who replaces a method by which a head is sent', () => {
  const METHODS = [
    '_implicitHeader',
    '_send',
    '_storeHeader',
    '_writeRaw',
    'end',
    'flushHeaders',
    'setHeader',
    'write',
    'writeHead',
  ]

  /** Replaces a method until the test is over. */
  function wrap(
    target: object,
    name: string,
    heard: (response: ServerResponse, args: readonly unknown[]) => void,
  ): object {
    const method: (...args: never) => unknown = Reflect.get(target, name)
    const own = Object.getOwnPropertyDescriptor(target, name)
    function wrapper(this: ServerResponse, ...args: unknown[]): unknown {
      heard(this, args)
      return Reflect.apply(method, this, args)
    }
    Reflect.set(target, name, wrapper)
    onTestFinished(() => {
      if (own === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, own)
    })
    return wrapper
  }

  describe.each(METHODS)('%s', (name) => {
    it('of the response has Node make it', async () => {
      const hub = await loaded()
      expect(await open(hub)).toBe(false)
      expect(await open(hub, (_, res) => void wrap(res, name, () => {}))).toBe(true)
    })

    it('of all responses has Node make it, and is told of no other response', async () => {
      const owner = Object.hasOwn(ServerResponse.prototype, name) ? ServerResponse : OutgoingMessage
      const hub = await loaded()
      const heard = vi.fn()
      wrap(owner.prototype, name, heard)
      // Loaded before it was replaced, and after.
      for (const each of [hub, await loaded()]) {
        const responses: unknown[] = []
        heard.mockClear()
        expect(await open(each, (_, res) => responses.push(res))).toBe(true)
        for (const [response] of heard.mock.calls) expect(responses).toContain(response)
      }
    })
  })

  it.each(['_send', '_writeRaw', 'write'])('%s is told of all that follows it, too', async (name) => {
    const before = await loaded()
    const heard: unknown[] = []
    wrap(OutgoingMessage.prototype, name, (_, [data]) => heard.push(String(data)))
    for (const hub of [before, await loaded()]) {
      const wire = await dial(createServer((_, res) => hub.stream(res).join('news')))
      wire.send(GET)
      await wire.until('sse.live')
      heard.length = 0
      await hub.channel('news').publish('n', 'told')
      await wire.until('told')
      expect(heard).toContainEqual(expect.stringContaining('told'))
    }
  })

  it('of the responses of an application has Node make it', async () => {
    const { app } = bareApp()
    const heard = vi.fn()
    wrap(app.response, 'writeHead', heard)
    app.get('/events', (_, res) => res.sse.join('news'))
    const wire = await dial(app)
    wire.send(GET)
    await wire.until('sse.live')
    expect(heard).toHaveBeenCalledOnce()
  })

  it('and fails without a connection fails for nobody', async () => {
    const hub = await loaded()
    wrap(ServerResponse.prototype, 'writeHead', (response) =>
      expect(response.socket?.remoteAddress).toBeTypeOf('string'),
    )
    expect(await open(hub)).toBe(true)
    expect(await open(hub)).toBe(true)
  })

  it('and shows the source of the former one has Node make it', async () => {
    const source = String(ServerResponse.prototype.writeHead)
    const wrapper = wrap(ServerResponse.prototype, 'writeHead', () => {})
    Object.assign(wrapper, { toString: () => source })
    expect(await open(await loaded())).toBe(true)
  })

  it('and keeps the former one under a symbol has Node make it', async () => {
    const { writeHead } = ServerResponse.prototype
    const wrapper = wrap(ServerResponse.prototype, 'writeHead', () => {})
    Object.assign(wrapper, { [Symbol('original')]: writeHead, toString: () => String(writeHead) })
    expect(await open(await loaded())).toBe(true)
  })

  it('and has all functions show the source of the former ones has Node make it', async () => {
    const original = ServerResponse.prototype.writeHead
    const wrapper = wrap(ServerResponse.prototype, 'writeHead', () => {})
    Object.defineProperty(wrapper, '__original__', { value: original })
    const { toString: show } = Function.prototype
    Function.prototype.toString = function (this: object) {
      return show.call(Object.hasOwn(this, '__original__') ? Reflect.get(this, '__original__') : this)
    }
    onTestFinished(() => {
      Function.prototype.toString = show
    })
    expect(await open(await loaded())).toBe(true)
  })
})

it('of a Node that does more when it sends is made by it', async () => {
  const { _send: send } = OutgoingMessage.prototype as unknown as { _send(...args: unknown[]): unknown }
  Reflect.set(OutgoingMessage.prototype, '_send', function _send(this: object, ...args: unknown[]) {
    Reflect.set(this, '_more', 'this._writeRaw(data')
    return Reflect.apply(send, this, args)
  })
  onTestFinished(() => void Reflect.set(OutgoingMessage.prototype, '_send', send))
  expect(await open(await loaded())).toBe(true)
})

it('is not written to a connection that the application has ended', async () => {
  const { app, errors } = bareApp()
  const server = createServer(app)
  const failed = vi.fn()
  server.on('clientError', failed)
  app.get('/events', (req, res) => {
    req.socket.end()
    return res.sse.join('news')
  })
  const wire = await dial(server)
  wire.send(GET)
  await wire.closed
  expect(wire.text).toBe('')
  expect(failed.mock.calls.map(([error]) => String(error))).toEqual([])
  expect(errors).toEqual([])
})

describe('a server with responses of its own making', () => {
  it('is told of the head', async () => {
    const heard = vi.fn()
    class Own<R extends IncomingMessage> extends ServerResponse<R> {
      _storeHeader(...args: unknown[]): void {
        heard()
        Reflect.apply(Reflect.get(ServerResponse.prototype, '_storeHeader'), this, args)
      }
    }
    const hub = sse<AnyEvents>()
    onTestFinished(() => hub.close())
    const wire = await dial(createServer({ ServerResponse: Own }, (_, res) => hub.stream(res).join('news')))
    wire.send(GET)
    await wire.until('sse.live')
    expect(heard).toHaveBeenCalledOnce()
  })
})
