import { defineEvents, payload } from '@sse/contract'
import { encodeControl, encodeEvent, encodeRetry } from '@sse/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEventSource, type EventSourceOptions, type TypedEventSource } from '../../src/index.ts'
import { type Endpoint, ending, refusal, type Serve, stream } from './endpoint.ts'

const events = defineEvents({ note: payload<string>(), count: payload<number>() })
type E = typeof events
const note = (text: string, id?: string): string =>
  encodeEvent({ event: 'note', data: JSON.stringify(text), id })
/** The shortest reconnection time, so that another attempt comes a second after the last. */
const soon = encodeRetry(0)
const greeting = encodeControl('sse.open', { heartbeat: 15_000, resumed: true, replay: 0 })

/** What a connection does over a real network. */
export function describeConnection(serve: Serve): void {
  const opened: TypedEventSource<E>[] = []
  function open({ url }: Endpoint, options: EventSourceOptions<E> = {}) {
    const source = createEventSource<E>(url, { events, ...options })
    opened.push(source)
    const heard: unknown[] = []
    source.on('note', (text) => heard.push(text))
    source.onResync((resync) => heard.push(resync))
    const until = (status: string) => vi.waitFor(() => expect(source.getState().status).toBe(status), 5_000)
    return { source, heard, until }
  }
  afterEach(() => {
    for (const source of opened.splice(0)) source.close()
  })

  describe('a stream that breaks', () => {
    it('in the middle of an event is resumed after the last one that was whole, and that one comes once', async () => {
      await using endpoint = await serve(
        stream(soon + note('a', 'e-1') + note('b', 'e-2').slice(0, -3)),
        stream(greeting + note('b', 'e-2')),
      )
      const { source, heard } = open(endpoint)
      await vi.waitFor(() => expect(heard).toEqual(['a']))
      await endpoint.cut()
      await vi.waitFor(() => expect(heard).toEqual(['a', 'b']), 5_000)
      expect(source.getState()).toMatchObject({ status: 'open', continuity: 'resumed' })
      expect((await endpoint.seen()).map(({ cursor }) => cursor)).toEqual([undefined, 'e-1'])
    })

    it('and has lost events by then says so, before anything newer', async () => {
      await using endpoint = await serve(
        stream(soon + note('a', 'e-1')),
        stream(
          greeting + encodeControl('sse.gap', { channels: ['news'], reason: 'evicted' }) + note('d', 'e-4'),
        ),
      )
      const { source, heard } = open(endpoint)
      await vi.waitFor(() => expect(heard).toEqual(['a']))
      await endpoint.cut()
      await vi.waitFor(() => expect(heard).toHaveLength(3), 5_000)
      expect(heard).toEqual(['a', { channels: ['news'], reason: 'evicted' }, 'd'])
      expect(source.getState()).toMatchObject({ status: 'open', continuity: 'gap' })
    })

    it('and whose server does not say, may have lost events', async () => {
      await using endpoint = await serve(ending(soon + note('a')), stream(note('b')))
      const { heard } = open(endpoint)
      await vi.waitFor(() => expect(heard).toEqual(['a', { channels: [], reason: 'unknown' }, 'b']), 5_000)
    })

    it('at once, again and again, is no storm', async () => {
      await using endpoint = await serve(ending(soon))
      const { source } = open(endpoint)
      const began = Date.now()
      await vi.waitFor(async () => expect(await endpoint.seen()).toHaveLength(3), 6_000)
      expect(Date.now() - began).toBeGreaterThanOrEqual(1_990)
      expect(source.getState().status).not.toBe('open')
    })

    it('without a word, as a half-open one does, is noticed by the missing heartbeats', async () => {
      const silent = encodeControl('sse.open', { heartbeat: 200, resumed: false, replay: 0 })
      await using endpoint = await serve(stream(silent), stream(greeting))
      const { source, until } = open(endpoint)
      const stale: unknown[] = []
      source.subscribe(() => stale.push(source.getState().stale))
      await until('retrying')
      expect(source.getState().error).toMatchObject({ kind: 'stale' })
      expect(stale).toContain(true)
      await vi.waitFor(async () => expect((await endpoint.seen())[0]?.open).toBe(false))
    })
  })

  describe('a server that ends a stream', () => {
    it('with sse.close is not asked again', async () => {
      await using endpoint = await serve(
        ending(note('a') + encodeControl('sse.close', { reason: 'complete' })),
      )
      const { source, heard, until } = open(endpoint)
      await until('closed')
      expect(heard).toEqual(['a'])
      expect(source.getState()).toMatchObject({ by: 'server', reason: 'complete' })
      expect(await endpoint.seen()).toHaveLength(1)
    })

    it('with 204 is not asked again', async () => {
      await using endpoint = await serve(ending(soon + note('a', 'e-1')), refusal(204))
      const { source, until } = open(endpoint)
      await until('closed')
      expect(source.getState()).toMatchObject({ by: 'server' })
      expect((await endpoint.seen()).map(({ cursor }) => cursor)).toEqual([undefined, 'e-1'])
    })
  })

  describe('a refusal', () => {
    it.each([429, 503])(
      'of %i with Retry-After is kept away from, and then tried again',
      async (status) => {
        await using endpoint = await serve(refusal(status, { 'retry-after': '1' }, 'busy'), stream(note('a')))
        const { source, heard, until } = open(endpoint)
        const began = Date.now()
        await until('retrying')
        expect(source.getState().error).toMatchObject({
          kind: 'http',
          status,
          body: 'busy',
          retryAfter: 1_000,
        })
        await vi.waitFor(() => expect(heard).toEqual(['a']), 8_000)
        expect(Date.now() - began).toBeGreaterThanOrEqual(990)
      },
      10_000,
    )

    it('of 401 is answered once, at once, with headers asked for anew', async () => {
      await using endpoint = await serve(refusal(401), stream(note('a')))
      let token = 0
      const { heard } = open(endpoint, {
        headers: async () => ({ authorization: `Bearer ${++token}` }),
      })
      await vi.waitFor(() => expect(heard).toEqual(['a']))
      expect((await endpoint.seen()).map(({ headers }) => headers.authorization)).toEqual([
        'Bearer 1',
        'Bearer 2',
      ])
    })

    it('of 401 is final the second time, as 403 is the first time', async () => {
      await using twice = await serve(refusal(401), refusal(401, {}, 'log in'))
      const unauthorized = open(twice, { headers: () => ({}) })
      await unauthorized.until('failed')
      expect(unauthorized.source.getState().error).toMatchObject({ status: 401, body: 'log in' })
      expect(await twice.seen()).toHaveLength(2)
      await using once = await serve(refusal(403))
      const forbidden = open(once, { headers: () => ({}) })
      await forbidden.until('failed')
      expect(await once.seen()).toHaveLength(1)
    })
  })

  describe('a request other than GET', () => {
    const post = { method: 'POST', body: '{"ask":1}', headers: { 'content-type': 'application/json' } }

    it('is sent once: without Content-Location, its end is final', async () => {
      await using endpoint = await serve(ending(soon + note('a', 'e-1')))
      const { source, heard, until } = open(endpoint, post)
      await until('failed')
      expect(heard).toEqual(['a'])
      expect(source.getState().error).toMatchObject({ kind: 'network' })
      expect((await endpoint.seen()).map(({ method }) => method)).toEqual(['POST'])
    })

    it('is resumed by GET where the response can be had', async () => {
      const first = stream(soon + note('a', 'e-1'))
      await using endpoint = await serve(
        { ...first, headers: { ...first.headers, 'content-location': 'answer-1' } },
        stream(greeting + note('b', 'e-2')),
      )
      const { heard } = open(endpoint, post)
      await vi.waitFor(() => expect(heard).toEqual(['a']))
      await endpoint.cut()
      await vi.waitFor(() => expect(heard).toEqual(['a', 'b']), 5_000)
      expect(
        (await endpoint.seen()).map(({ method, path, cursor, headers }) => [
          method,
          path,
          cursor,
          headers['content-type'],
        ]),
      ).toEqual([
        ['POST', 'events', undefined, 'application/json'],
        ['GET', 'answer-1', 'e-1', undefined],
      ])
    })
  })

  describe("an event named 'error' or 'open'", () => {
    it("is not taken for the connection's own: without a contract it is an event like any other", async () => {
      const own = ['error', 'open'].map((event) => encodeEvent({ event, data: '1' })).join('')
      await using endpoint = await serve(stream(own + note('a')))
      const source = createEventSource<{ note: string }>(endpoint.url)
      const errors: string[] = []
      source.onError(({ kind }) => errors.push(kind))
      const heard: unknown[] = []
      source.on('*', ({ event }) => heard.push(event))
      await vi.waitFor(() => expect(heard).toEqual(['error', 'open', 'note']))
      expect(errors).toEqual([])
      expect(source.getState().status).toBe('open')
      source.close()
    })
  })

  describe('an event that breaks the contract', () => {
    it('is an error, and the stream goes on', async () => {
      await using endpoint = await serve(
        stream(`event: note\ndata: no json\n\nevent: sse.gap\ndata: neither\n\n${note('a')}`),
      )
      const { source, heard } = open(endpoint)
      const errors: string[] = []
      source.onError(({ kind }) => errors.push(kind))
      await vi.waitFor(() => expect(heard).toEqual(['a']))
      expect(errors).toEqual(['contract', 'contract'])
      expect(source.getState()).toMatchObject({ status: 'open', continuity: 'fresh' })
    })
  })
}
