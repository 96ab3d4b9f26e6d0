import type { ServerResponse } from 'node:http'
import { defineEvents, payload } from '@sse/contract'
import { encodeEvent, encodeRetry } from '@sse/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEventSource, type EventSourceOptions, type TypedEventSource } from '../src/index.ts'
import { type Answer, serve, stream } from './endpoint.ts'

const events = defineEvents({ note: payload<string>() })
type E = typeof events
const note = (text: string, id?: string): string =>
  encodeEvent({ event: 'note', data: JSON.stringify(text), id })
/** The shortest reconnection time, so that tests of reconnection take about the second between two attempts. */
const soon = encodeRetry(0)

const opened: TypedEventSource<E>[] = []
function open(url: string, options: EventSourceOptions<E> = {}): TypedEventSource<E> {
  const source = createEventSource<E>(url, { events, ...options })
  opened.push(source)
  source.open()
  return source
}
afterEach(() => {
  for (const source of opened.splice(0)) source.close()
})

const status = (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer => {
  return (_req, res) => {
    res.writeHead(code, headers).end(body)
  }
}
const breaking =
  (...blocks: readonly string[]): Answer =>
  (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.write(blocks.join(''), () => res.destroy())
  }
const until = (source: TypedEventSource<E>, wanted: string, timeout = 5_000) =>
  vi.waitFor(() => expect(source.getState().status).toBe(wanted), timeout)

describe('a request', () => {
  it('asks for an event stream, uncached, with the headers of the app', async () => {
    await using endpoint = await serve(stream(note('a')))
    const source = open(endpoint.url, { headers: async () => ({ authorization: 'Bearer t' }) })
    await until(source, 'open')
    const [request] = endpoint.requests
    expect(request?.method).toBe('GET')
    expect(request?.headers).toMatchObject({
      accept: 'text/event-stream',
      authorization: 'Bearer t',
      'cache-control': 'no-cache',
    })
    expect(request?.headers['last-event-id']).toBeUndefined()
  })

  it('asks for the url anew with each attempt', async () => {
    await using endpoint = await serve(breaking(soon), stream())
    let token = 0
    const source = createEventSource(() => `${endpoint.url}?token=${++token}`, { events })
    opened.push(source)
    source.open()
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(2), 5_000)
    expect(endpoint.requests.map(({ url }) => url)).toEqual(['/events?token=1', '/events?token=2'])
  })

  it('goes through the fetch of the app', async () => {
    await using endpoint = await serve(stream(note('a')))
    const own = vi.fn(fetch)
    await until(open(endpoint.url, { fetch: own }), 'open')
    expect(own).toHaveBeenCalledTimes(1)
  })

  it('that cannot be built is tried again, with the reason in the error', async () => {
    const source = open('http://127.0.0.1:1/', {
      headers: () => {
        throw new Error('no token')
      },
    })
    await until(source, 'retrying')
    expect(source.getState().error).toMatchObject({ kind: 'network', cause: new Error('no token') })
  })

  it('to a relative url is made relative to what the page says that it is', async () => {
    vi.stubGlobal('location', new URL('http://127.0.0.1/app/users/5'))
    vi.stubGlobal('document', { baseURI: 'http://127.0.0.1/app/', visibilityState: 'visible' })
    const asked = vi.fn(async () => new Response('', { status: 404 }))
    open('events', { fetch: asked })
    await vi.waitFor(() =>
      expect(asked).toHaveBeenCalledWith('http://127.0.0.1/app/events', expect.anything()),
    )
    vi.unstubAllGlobals()
  })

  it('to a relative url names the url outside of a page, where it must be absolute', async () => {
    const source = open('/events')
    await until(source, 'retrying')
    expect(source.getState().error?.message).toMatch(/^\/events: .*URL/)
  })
})

describe('a response', () => {
  it('that is no event stream is final', async () => {
    await using endpoint = await serve(status(200, { 'Content-Type': 'text/html' }, '<html>'))
    const source = open(endpoint.url)
    await until(source, 'failed')
    expect(source.getState().error).toMatchObject({
      kind: 'content-type',
      status: 200,
    })
  })

  it('that refuses tells its status and the beginning of its body, which is not taken for a stream', async () => {
    const heard = vi.fn()
    await using endpoint = await serve(
      status(403, { 'Content-Type': 'text/event-stream' }, note('not an event') + 'x'.repeat(100_000)),
    )
    const source = open(endpoint.url)
    source.on('note', heard)
    await until(source, 'failed')
    const { error } = source.getState()
    expect(error).toMatchObject({ kind: 'http', status: 403 })
    expect(error?.body).toMatch(/^event: note/)
    expect(error?.body?.length).toBe(4_096)
    expect(heard).not.toHaveBeenCalled()
  })

  it.each([
    ['breaks off', (res: ServerResponse) => res.write('gone', () => res.destroy())],
    ['does not end', (res: ServerResponse) => res.write('gone')],
    ['does not come', () => true],
  ])('that refuses does so also where its body %s', async (_, say) => {
    await using endpoint = await serve((_req, res) => {
      res.writeHead(404, { 'Content-Length': 100 }).flushHeaders()
      say(res)
    })
    const source = open(endpoint.url)
    await until(source, 'failed')
    expect(source.getState().error).toMatchObject({ kind: 'http', status: 404 })
    expect(endpoint.requests).toHaveLength(1)
  })

  it('of 401 has the headers asked for anew also where its body does not end', async () => {
    await using endpoint = await serve((_req, res) => {
      res.writeHead(401).write('{')
    }, stream())
    await until(open(endpoint.url, { headers: () => ({}) }), 'open')
    expect(endpoint.requests).toHaveLength(2)
  })

  it('of 503 with Retry-After is waited for, in seconds or until a date', async () => {
    const date = new Date(Date.now() + 90_000).toUTCString()
    for (const [value, least] of [
      ['120', 120_000],
      [date, 85_000],
    ] as const) {
      await using endpoint = await serve(status(503, { 'Retry-After': value }))
      const source = open(endpoint.url)
      const before = Date.now()
      await until(source, 'retrying')
      const { retryAt } = source.getState()
      expect((retryAt ?? 0) - before).toBeGreaterThanOrEqual(least)
      expect((retryAt ?? 0) - before).toBeLessThanOrEqual(least + 20_000)
    }
  })

  it('of 503 with a Retry-After that is out of all bounds is waited for an hour', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toUTCString()
    for (const value of ['1700000000', tomorrow]) {
      await using endpoint = await serve(status(503, { 'Retry-After': value }))
      const source = open(endpoint.url)
      await until(source, 'retrying')
      expect(source.getState().error?.retryAfter).toBe(3_600_000)
    }
  })

  it('of 503 with a date for Retry-After is waited for by the clock of the server', async () => {
    // A day ahead, or this machine a day behind.
    const now = Date.now() + 86_400_000
    const dates = { Date: new Date(now).toUTCString(), 'Retry-After': new Date(now + 90_000).toUTCString() }
    await using endpoint = await serve(status(503, dates))
    const source = open(endpoint.url)
    await until(source, 'retrying')
    expect(source.getState().error?.retryAfter).toBe(90_000)
  })

  it('of 204 closes the source for good', async () => {
    await using endpoint = await serve(status(204))
    const source = open(endpoint.url)
    await until(source, 'closed')
    expect(source.getState()).toMatchObject({ by: 'server' })
  })

  it('that never comes is a lost connection, as is no server', async () => {
    const source = open('http://127.0.0.1:1/events')
    await until(source, 'retrying')
    expect(source.getState()).toMatchObject({ attempt: 2, error: { kind: 'network' } })
  })

  it('is told of without what is secret in a url', async () => {
    await using endpoint = await serve(status(403))
    const messages: string[] = []
    const urls = [
      `${endpoint.url}?name=John Doe&token=secret#secret`,
      'http://127.0.0.1:1/a?token=secret',
      'http://me:secret@127.0.0.1:1/b',
    ]
    for (const url of urls) {
      const source = open(url, { when: () => false })
      source.onError(({ message, stack }) => messages.push(message, String(stack)))
      await until(source, 'failed')
    }
    expect(messages).toHaveLength(6)
    expect(messages.filter((message) => message.includes('secret'))).toEqual([])
    expect(messages[0]).toContain(`${endpoint.url} answered 403`)
  })

  it('that redirects is followed, without the credentials where it leads to another origin', async () => {
    await using other = await serve(stream(note('a')))
    await using endpoint = await serve(status(307, { Location: other.url }))
    const source = open(endpoint.url, { headers: { authorization: 'Bearer secret' } })
    await until(source, 'open')
    expect(endpoint.requests[0]?.headers.authorization).toBe('Bearer secret')
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
  })
})

describe('a connection that breaks', () => {
  it('resumes after the last event that was whole, which comes once', async () => {
    await using endpoint = await serve(
      breaking(soon, note('a', 'e-1'), note('b', 'e-2').slice(0, -3)),
      stream(note('b', 'e-2')),
    )
    const source = open(endpoint.url)
    const heard: string[] = []
    source.on('note', (text) => heard.push(text))
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b']), 5_000)
    expect(endpoint.requests[1]?.headers['last-event-id']).toBe('e-1')
  })

  it('resumes after a position that came without an event', async () => {
    await using endpoint = await serve(breaking(soon, 'id: only\n\n'), stream())
    open(endpoint.url)
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(2), 5_000)
    expect(endpoint.requests[1]?.headers['last-event-id']).toBe('only')
  })

  it('keeps its position while events come without one', async () => {
    await using endpoint = await serve(breaking(soon, note('a', 'e-1')), stream(note('b')))
    const source = open(endpoint.url)
    const ids: string[] = []
    source.on('note', (_note, { id }) => ids.push(id))
    await vi.waitFor(() => expect(ids).toEqual(['e-1', 'e-1']), 5_000)
    expect(source.cursor).toBe('e-1')
  })

  it('sends the last event id as UTF-8, as the standard asks', async () => {
    await using endpoint = await serve(breaking(soon, note('a', 'größe-…')), stream())
    open(endpoint.url)
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(2), 5_000)
    const raw = String(endpoint.requests[1]?.headers['last-event-id'])
    expect(Buffer.from(raw, 'latin1').toString('utf8')).toBe('größe-…')
  })

  it('tells, where the server does not say that it resumes, that something may be missing', async () => {
    await using endpoint = await serve(breaking(soon, note('a')), stream(note('b')))
    const source = open(endpoint.url)
    const resync = vi.fn()
    source.onResync(resync)
    await vi.waitFor(() => expect(source.getLatest().note).toBe('b'), 5_000)
    expect(source.getState().continuity).toBe('gap')
    expect(resync.mock.calls).toEqual([[{ reason: 'unknown', channels: [] }]])
  })

  it('does not storm a server whose streams end at once', async () => {
    await using endpoint = await serve(breaking(soon))
    const source = open(endpoint.url)
    await vi.waitFor(() => expect(endpoint.requests.length).toBeGreaterThanOrEqual(2), 5_000)
    expect(source.getState().attempt ?? 2).toBeGreaterThanOrEqual(2)
    expect(endpoint.requests.length).toBeLessThanOrEqual(3)
  })
})

describe('a server that never ends an event', () => {
  it('is left before it fills the memory', async () => {
    await using endpoint = await serve((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      const line = `data: ${'x'.repeat(65_536)}\n`
      const pour = (): void => {
        while (!res.destroyed && res.write(line));
      }
      res.on('drain', pour)
      pour()
    })
    const source = open(endpoint.url)
    await until(source, 'failed', 20_000)
    expect(source.getState().error).toMatchObject({ kind: 'overflow' })
    await vi.waitFor(() => expect(endpoint.requests[0]?.socket.destroyed).toBe(true))
  }, 30_000)
})

describe('close()', () => {
  it('ends the connection at once', async () => {
    await using endpoint = await serve(stream(note('a')))
    const source = open(endpoint.url)
    await until(source, 'open')
    source.close()
    await vi.waitFor(() => expect(endpoint.requests[0]?.socket.destroyed).toBe(true))
  })
})

describe('a request other than GET', () => {
  const post = { method: 'POST', body: '{"ask":1}', headers: { 'content-type': 'application/json' } }

  it('is sent once: a connection that is lost is final', async () => {
    await using endpoint = await serve(breaking(soon, note('a', 'e-1')))
    const source = open(endpoint.url, post)
    await until(source, 'failed')
    expect(source.getState().error).toMatchObject({ kind: 'network' })
    expect(endpoint.requests.map(({ method }) => method)).toEqual(['POST'])
    source.reconnect()
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(2))
  })

  it('may have a stream for its body', async () => {
    await using endpoint = await serve(stream(note('a')))
    const source = open(endpoint.url, { method: 'POST', body: new Blob(['asked']).stream() })
    await until(source, 'open')
    expect(endpoint.requests[0]?.method).toBe('POST')
  })

  it('is not sent again after a refusal either', async () => {
    await using endpoint = await serve(status(503))
    const source = open(endpoint.url, post)
    await until(source, 'failed')
    expect(endpoint.requests).toHaveLength(1)
  })

  it('is resumed by GET where the response says that it can be had', async () => {
    await using endpoint = await serve(
      (req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Location': '/answers/1' })
        req.resume().on('end', () => res.write(soon + note('a', 'e-1'), () => res.destroy()))
      },
      stream(note('b', 'e-2')),
    )
    const source = open(endpoint.url, post)
    await vi.waitFor(() => expect(source.getLatest().note).toBe('b'), 5_000)
    const [first, second] = endpoint.requests
    expect([first?.method, first?.url]).toEqual(['POST', '/events'])
    expect([second?.method, second?.url]).toEqual(['GET', '/answers/1'])
    expect(second?.headers['last-event-id']).toBe('e-1')
    expect(second?.headers['content-type']).toBeUndefined()
    expect(second?.headers['content-length']).toBeUndefined()
  })

  it('is resumed at what the response names, from where it was redirected to', async () => {
    await using endpoint = await serve(
      (req, res) => {
        req.resume()
        res.writeHead(307, { Location: '/v2/answers/' }).end()
      },
      (req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Location': '1' })
        req.resume().on('end', () => res.write(soon + note('a', 'e-1'), () => res.destroy()))
      },
      stream(),
    )
    open(endpoint.url, post)
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(3), 5_000)
    expect(endpoint.requests[2]?.url).toBe('/v2/answers/1')
  })

  it('is not resumed at another origin, which would get its headers', async () => {
    await using other = await serve(stream())
    await using endpoint = await serve((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Location': other.url })
      res.write(soon, () => res.destroy())
    })
    await until(open(endpoint.url, post), 'failed')
    expect(other.requests).toHaveLength(0)
  })
})
