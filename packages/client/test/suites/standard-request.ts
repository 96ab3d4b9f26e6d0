import { describe, expect, it, vi } from 'vitest'
import { ending, refusal, type Serve, stream } from './endpoint.ts'
import { openText } from './text-source.ts'

/**
 * What is asked for, and what is taken for an answer.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
 */
export function describeRequest(serve: Serve): void {
  describe('the request, as the standard makes it:', () => {
    it('it accepts an event stream, past every cache', async () => {
      await using endpoint = await serve(stream())
      const { until } = openText(endpoint.url)
      await until('open')
      expect((await endpoint.seen())[0]?.headers).toMatchObject({
        accept: 'text/event-stream',
        'cache-control': 'no-cache',
      })
    })

    it('the last event id is sent from the second time on, as UTF-8, and not when it is empty', async () => {
      await using endpoint = await serve(
        ending('id:…\ndata:hello\n\n'),
        ending('id\ndata:forgotten\n\n'),
        stream(),
      )
      const { source, heard, until } = openText(endpoint.url)
      await until('retrying')
      source.reconnect()
      await vi.waitFor(() => expect(heard).toHaveLength(2))
      await until('retrying')
      source.reconnect()
      await vi.waitFor(async () => expect(await endpoint.seen()).toHaveLength(3))
      const ids = (await endpoint.seen()).map(({ cursor }) => cursor)
      expect(ids).toEqual([undefined, '…', undefined])
    })

    it.each([301, 302, 303, 307, 308])('a redirect with %i is followed', async (status) => {
      await using endpoint = await serve(refusal(status, { location: 'elsewhere' }), stream('data:there\n\n'))
      const { source, heard } = openText(endpoint.url)
      await vi.waitFor(() => expect(heard).toEqual([['message', 'there', '']]))
      expect(source.getState().status).toBe('open')
      expect((await endpoint.seen()).map(({ method, path }) => [method, path])).toEqual([
        ['GET', 'events'],
        ['GET', 'elsewhere'],
      ])
    })

    it('after a redirect, the next attempt begins where the first one did', async () => {
      await using endpoint = await serve(
        refusal(307, { location: 'elsewhere' }),
        ending('id:1\ndata:a\n\n'),
        refusal(307, { location: 'elsewhere' }),
        stream(),
      )
      const { source, until } = openText(endpoint.url)
      await until('retrying')
      source.reconnect()
      await vi.waitFor(async () => expect(await endpoint.seen()).toHaveLength(4))
      expect((await endpoint.seen()).map(({ path }) => path)).toEqual([
        'events',
        'elsewhere',
        'events',
        'elsewhere',
      ])
      expect((await endpoint.seen())[2]?.cursor).toBe('1')
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
      await using endpoint = await serve({ ...stream('data:a\n\n'), headers: { 'content-type': type } })
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
      await using endpoint = await serve({
        ...ending('data:a\n\n'),
        headers: type === undefined ? {} : { 'content-type': type },
      })
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
      await using endpoint = await serve({ ...ending('data:data\n\n'), status })
      const { source, heard, until } = openText(endpoint.url)
      await until(expected)
      expect(heard).toEqual([])
      if (expected !== 'closed') expect(source.getState().error).toMatchObject({ kind: 'http', status })
    })

    it('its end and its loss alike are followed by another attempt', async () => {
      await using endpoint = await serve(
        ending('retry:100\ndata:a\n\n'),
        stream('data:b\n\n'),
        stream('data:c\n\n'),
      )
      const { heard } = openText(endpoint.url)
      await vi.waitFor(() => expect(heard).toHaveLength(2), 5_000)
      await endpoint.cut()
      await vi.waitFor(() => expect(heard).toHaveLength(3), 5_000)
    })
  })

  describe('close(), as the standard has it:', () => {
    it('no event comes after it, of what is there already neither', async () => {
      await using endpoint = await serve(stream('data:1\n\ndata:2\n\n'))
      const { source, heard, until } = openText(endpoint.url)
      source.on('message', () => source.close())
      await until('closed')
      await vi.waitFor(async () => expect((await endpoint.seen())[0]?.open).toBe(false))
      expect(heard).toEqual([['message', '1', '']])
    })

    it('before there is an answer, ends the request', async () => {
      await using endpoint = await serve({ after: 'hang' })
      const { source } = openText(endpoint.url)
      await vi.waitFor(async () => expect(await endpoint.seen()).toHaveLength(1))
      source.close()
      await vi.waitFor(async () => expect((await endpoint.seen())[0]?.open).toBe(false))
      expect(source.getState().status).toBe('closed')
    })
  })
}
