import { createServer, type RequestListener, ServerResponse } from 'node:http'
import type { AnyEvents } from '@sse/contract'
import { sse } from '@sse/express'
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
  'wants no date': [(_, res) => Object.assign(res, { sendDate: false }), true],
  'removes the date': [(_, res) => res.removeHeader('Date'), true],
  'sets a date': [(_, res) => res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT'), true],
  'wants no chunks': [(_, res) => Object.assign(res, { useChunkedEncodingByDefault: false }), true],
  'removes the transfer encoding': [(_, res) => res.removeHeader('Transfer-Encoding'), true],
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
  async function opened(): Promise<Response> {
    const { app } = bareApp()
    const wire = await dial(app)
    const response = new Promise<Response>((resolve) => {
      app.get('/events', (_, res) => {
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

describe('who wants to hear of a head', () => {
  const wrapped = (target: ServerResponse, heard: () => void): void => {
    const { writeHead } = target
    target.writeHead = function (this: ServerResponse, ...args: unknown[]) {
      heard()
      return Reflect.apply(writeHead, this, args)
    }
  }

  async function served(app: RequestListener): Promise<string> {
    const wire = await dial(createServer(app))
    wire.send(GET)
    return wire.until('sse.live')
  }

  it('does, if it wraps the response', async () => {
    const { app } = bareApp()
    const heard = vi.fn()
    app.get('/events', (_, res) => {
      wrapped(res, heard)
      return res.sse.join('news')
    })
    await served(app)
    expect(heard).toHaveBeenCalledOnce()
  })

  it('does, if it wraps the responses of the application', async () => {
    const { app } = bareApp()
    const heard = vi.fn()
    wrapped(app.response, heard)
    app.get('/events', (_, res) => res.sse.join('news'))
    await served(app)
    expect(heard).toHaveBeenCalledOnce()
  })

  it('does, if it wraps all responses, before this is loaded or after', async () => {
    const heard = vi.fn()
    const { prototype } = ServerResponse
    const { writeHead } = prototype
    onTestFinished(() => {
      prototype.writeHead = writeHead
      vi.resetModules()
    })
    wrapped(prototype, heard)
    vi.resetModules()
    const later = await import('@sse/express')
    for (const make of [sse, later.sse]) {
      const hub = make<AnyEvents>()
      onTestFinished(() => hub.close())
      const app = express().use(hub)
      app.get('/events', (_, res) => res.sse.join('news'))
      await served(app)
    }
    expect(heard).toHaveBeenCalledTimes(2)
  })
})
