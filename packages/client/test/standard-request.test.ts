import { describe, expect, it, vi } from 'vitest'
import { type Answer, serve, stream } from './endpoint.ts'
import { openText, respond } from './text-source.ts'

const events = 'text/event-stream'
const away =
  (status: number): Answer =>
  (_req, res) => {
    res.writeHead(status, { Location: '/elsewhere' }).end()
  }

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface */
describe('the request, as the standard makes it:', () => {
  it('it accepts an event stream, past every cache', async () => {
    await using endpoint = await serve(stream())
    const { until } = openText(endpoint.url)
    await until('open')
    expect(endpoint.requests[0]?.headers).toMatchObject({ accept: events, 'cache-control': 'no-cache' })
  })

  it('the last event id is sent from the second time on, as UTF-8, and not when it is empty', async () => {
    await using endpoint = await serve(
      respond(events, 'id:…\ndata:hello\n\n'),
      respond(events, 'id\ndata:forgotten\n\n'),
      stream(),
    )
    const { source, heard, until } = openText(endpoint.url)
    await until('retrying')
    source.reconnect()
    await vi.waitFor(() => expect(heard).toHaveLength(2))
    await until('retrying')
    source.reconnect()
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(3))
    const ids = endpoint.requests.map(({ headers }) => headers['last-event-id'])
    expect(ids).toEqual([undefined, Buffer.from('…').toString('latin1'), undefined])
  })

  it.each([301, 302, 303, 307, 308])('a redirect with %i is followed', async (status) => {
    await using endpoint = await serve(away(status), stream('data:there\n\n'))
    const { source, heard } = openText(endpoint.url)
    await vi.waitFor(() => expect(heard).toEqual([['message', 'there', '']]))
    expect(source.getState().status).toBe('open')
    expect(endpoint.requests.map(({ method, url }) => [method, url])).toEqual([
      ['GET', '/events'],
      ['GET', '/elsewhere'],
    ])
  })

  it('after a redirect, the next attempt begins where the first one did', async () => {
    await using endpoint = await serve(away(307), respond(events, 'id:1\ndata:a\n\n'), away(307), stream())
    const { source, until } = openText(endpoint.url)
    await until('retrying')
    source.reconnect()
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(4))
    expect(endpoint.requests.map(({ url }) => url)).toEqual([
      '/events',
      '/elsewhere',
      '/events',
      '/elsewhere',
    ])
    expect(endpoint.requests[3]?.headers['last-event-id']).toBe('1')
  })
})

describe('the response, as the standard judges it:', () => {
  it.each([
    'text/event-stream',
    'text/event-stream;',
    'text/event-stream;charset=utf-8',
    'text/event-stream ; charset=UTF-8; boundary="x"',
    'TEXT/Event-Stream',
  ])('%s is an event stream', async (type) => {
    await using endpoint = await serve((_req, res) => {
      res.writeHead(200, { 'Content-Type': type })
      res.write('data:a\n\n')
    })
    const { heard } = openText(endpoint.url)
    await vi.waitFor(() => expect(heard).toHaveLength(1))
  })

  it.each([
    undefined,
    '',
    'text/plain',
    'text/x-bogus',
    'text/event-stream-bogus',
    'text/event-streamx;charset=utf-8',
    'application/json',
    'x; text/event-stream',
  ])('a type of %o is none, and final', async (type) => {
    await using endpoint = await serve(respond(type, 'data:a\n\n'))
    const { source, heard, until } = openText(endpoint.url)
    await until('failed')
    expect(source.getState().error).toMatchObject({ kind: 'content-type' })
    expect(heard).toEqual([])
  })

  // 408, 425, 429 and 5xx are tried again, unlike in the standard.
  it.each([
    [204, 'closed'],
    [205, 'failed'],
    [206, 'failed'],
    [210, 'failed'],
    [299, 'failed'],
    [404, 'failed'],
    [410, 'failed'],
    [429, 'retrying'],
    [503, 'retrying'],
  ])('with %i, nothing of it is an event, and the source is %s', async (status, expected) => {
    await using endpoint = await serve(respond(events, 'data:data\n\n', status))
    const { source, heard, until } = openText(endpoint.url)
    await until(expected)
    expect(heard).toEqual([])
    if (expected !== 'closed') expect(source.getState().error).toMatchObject({ kind: 'http', status })
  })

  it('its end and its loss alike are followed by another attempt', async () => {
    await using endpoint = await serve(
      respond(events, 'retry:100\ndata:a\n\n'),
      (_req, res) => {
        res.writeHead(200, { 'Content-Type': events })
        res.write('data:b\n\n', () => res.destroy())
      },
      stream('data:c\n\n'),
    )
    const { heard } = openText(endpoint.url)
    await vi.waitFor(() => expect(heard).toHaveLength(3), 5_000)
  })
})

describe('close(), as the standard has it:', () => {
  it('no event comes after it, of what is there already neither', async () => {
    await using endpoint = await serve(stream('data:1\n\ndata:2\n\n'))
    const { source, heard, until } = openText(endpoint.url)
    source.on('message', () => source.close())
    await until('closed')
    await vi.waitFor(() => expect(endpoint.requests[0]?.socket.destroyed).toBe(true))
    expect(heard).toEqual([['message', '1', '']])
  })

  it('before there is an answer, ends the request', async () => {
    await using endpoint = await serve(() => {})
    const { source } = openText(endpoint.url)
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(1))
    source.close()
    await vi.waitFor(() => expect(endpoint.requests[0]?.socket.destroyed).toBe(true))
    expect(source.getState().status).toBe('closed')
  })
})
