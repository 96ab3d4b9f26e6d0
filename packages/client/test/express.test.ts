import { defineEvents, payload, state } from '@sse/contract'
import { type Hub, type SseOptions, sse } from '@sse/express'
import { serve, stopServing } from '@sse/express/testing'
import { EventSource } from 'eventsource'
import express, { type RequestHandler, type Response } from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  createEventReducer,
  createEventSource,
  type EventSourceOptions,
  nativeTransport,
  type TypedEventSource,
} from '../src/index.ts'
import { tap } from './endpoint.ts'

const events = defineEvents({
  counter: state<{ value: number }>(),
  quote: state<{ symbol: string; price: number }>((quote) => quote.symbol),
  note: payload<string>(),
})
type E = typeof events

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A hub under Express, with one stream at `/events` of the channel `news`. */
async function start(options: SseOptions<E> = {}, guard: RequestHandler = (_req, _res, next) => next()) {
  const hub: Hub<E> = sse<E>({ events, ...options })
  const app = express()
  app.use(hub)
  app.get('/events', guard, (_req, res) => hub.stream(res).join('news'))
  const origin = await serve(app)
  cleanups.push(() => stopServing(app))
  const news = hub.channel('news')
  return { hub, app, news, url: `${origin}/events` }
}
function open(url: string, options: EventSourceOptions<E> = {}): TypedEventSource<E> {
  const source = createEventSource<E>(url, { events, ...options })
  cleanups.push(() => source.close())
  source.open()
  return source
}
const until = (source: TypedEventSource<E>, status: string) =>
  vi.waitFor(() => expect(source.getState().status).toBe(status), 5_000)
/** Cuts the connection as a network does. */
const cut = (hub: Hub<E>): void => {
  for (const stream of hub.streams) stream.disconnect()
}

describe('with the hub of @sse/express', () => {
  it('an event published after the stream was opened arrives, by name and typed', async () => {
    const { news, url } = await start()
    const source = open(url)
    await until(source, 'open')
    const heard = vi.fn()
    source.on('note', heard)
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    await news.publish('note', 'hello')
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1))
    expect(heard.mock.calls[0]).toEqual([
      'hello',
      expect.objectContaining({ event: 'note', replayed: false }),
    ])
    expect(source.getState()).toMatchObject({ continuity: 'fresh' })
  })

  it('what was published while the connection was lost arrives once, in order, and as replayed', async () => {
    const { hub, news, url } = await start()
    const source = open(url)
    const heard: unknown[] = []
    source.on('note', (note, { replayed }) => heard.push([note, replayed]))
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    await news.publish('note', 'a')
    await vi.waitFor(() => expect(heard).toHaveLength(1))
    cut(hub)
    await until(source, 'retrying')
    await news.publish('note', 'b')
    await news.publish('note', 'c')
    source.reconnect()
    await vi.waitFor(() => expect(heard).toHaveLength(3))
    await news.publish('note', 'd')
    await vi.waitFor(() => expect(heard).toHaveLength(4))
    expect(heard).toEqual([
      ['a', false],
      ['b', true],
      ['c', true],
      ['d', false],
    ])
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'resumed' })
  })

  it('a drop before the first event loses nothing that is published meanwhile', async () => {
    const { hub, news, url } = await start()
    const source = open(url)
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    cut(hub)
    await until(source, 'retrying')
    await news.publish('note', 'meanwhile')
    source.reconnect()
    await vi.waitFor(() => expect(source.getLatest().note).toBe('meanwhile'))
    expect(source.getState().continuity).toBe('resumed')
  })

  it('what is replayed whole comes after the word that something may be missing', async () => {
    const { hub, app } = await start()
    for (const text of ['Hello ', 'world']) await hub.channel('answer').publish('note', text)
    let first: Response | undefined
    app.get('/answer', async (_req, res) => {
      if (first) await hub.stream(res).join('answer', { last: Number.POSITIVE_INFINITY })
      else first = res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.flushHeaders()
    })
    const source = createEventSource<E>(`${await serve(app)}/answer`, { events })
    cleanups.push(() => source.close())
    const text = createEventReducer(source, {
      initial: '',
      reduce: { note: (text: string, note: string) => text + note },
      onGap: () => '… ',
    })
    source.open()
    await until(source, 'open')
    // Before anything that has an id.
    first?.destroy()
    const cursor = await hub.cursor()
    await vi.waitFor(() => expect(source.cursor).toBe(cursor), 5_000)
    expect(text.getState()).toBe('… Hello world')
  })

  it('a private event before a join that takes a moment makes no gap of a resume', async () => {
    const { hub, app, news } = await start()
    let heard = (): void => {}
    app.get('/slow', async (_req, res) => {
      const stream = hub.stream(res)
      stream.send('note', 'hello')
      await new Promise<void>((resolve) => {
        heard = resolve
      })
      await stream.join('news')
    })
    const source = open(`${await serve(app)}/slow`)
    const told: string[] = []
    source.onResync(({ reason }) => told.push(reason))
    source.on('note', (note) => (note === 'hello' ? heard() : told.push(note)))
    await vi.waitFor(() => expect(source.cursor).not.toBe(''), 5_000)
    await news.publish('note', 'a')
    await vi.waitFor(() => expect(told).toEqual(['a']))
    for (const stream of hub.streams) stream.disconnect()
    await until(source, 'retrying')
    await news.publish('note', 'b')
    await vi.waitFor(
      () => expect(source.getState()).toMatchObject({ status: 'open', continuity: 'resumed' }),
      8_000,
    )
    await vi.waitFor(() => expect(told).toEqual(['a', 'b']), 5_000)
    await news.publish('note', 'c')
    await vi.waitFor(() => expect(told).toEqual(['a', 'b', 'c']), 5_000)
  })

  it('an EventSource that gives no id to an event without one resumes after the last id all the same', async () => {
    // As that of `eventsource` on npm does; the standard has it sticky.
    vi.stubGlobal('EventSource', EventSource)
    cleanups.push(() => vi.unstubAllGlobals())
    const { hub, news, url } = await start()
    const source = open(url, { transport: nativeTransport })
    const heard: string[] = []
    source.on('note', (note) => heard.push(note))
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    cut(hub)
    await until(source, 'retrying')
    const id = await news.publish('note', 'a')
    await until(source, 'open')
    await vi.waitFor(() => expect(heard).toEqual(['a']))
    for (const stream of hub.streams) stream.send('note', 'private')
    await vi.waitFor(() => expect(heard).toEqual(['a', 'private']))
    expect(source.cursor).toBe(id)
    cut(hub)
    await until(source, 'retrying')
    await news.publish('note', 'b')
    await vi.waitFor(() => expect(heard).toContain('b'), 5_000)
    expect(heard).toEqual(['a', 'private', 'b'])
  })

  it('what was dropped from the history is announced as a gap, before anything newer', async () => {
    const { hub, news, url } = await start({ history: { length: 2 } })
    const source = open(url)
    const order: unknown[] = []
    source.on('note', (note) => order.push(note))
    source.onResync((resync) => order.push(resync))
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    cut(hub)
    await until(source, 'retrying')
    for (const note of ['1', '2', '3', '4']) await news.publish('note', note)
    source.reconnect()
    await vi.waitFor(() => expect(order).toContain('4'))
    expect(order).toEqual([{ reason: 'evicted', channels: ['news'] }, '3', '4'])
    expect(source.getState().continuity).toBe('gap')
  })

  it('a server that was restarted is a gap, and the state it has now arrives', async () => {
    const first = await start()
    const second = await start()
    const urls = [first.url, second.url]
    const source = createEventSource<E>(() => urls.shift() ?? second.url, { events })
    cleanups.push(() => source.close())
    const resync = vi.fn()
    source.onResync(resync)
    source.open()
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    await second.news.publish('counter', { value: 7 })
    cut(first.hub)
    await until(source, 'retrying')
    source.reconnect()
    await vi.waitFor(() => expect(source.getLatest().counter).toEqual({ value: 7 }))
    expect(resync).toHaveBeenCalledTimes(1)
    expect(resync.mock.calls[0]?.[0]).toMatchObject({ channels: ['news'] })
  })

  it('a first reader gets the newest of each state, and a removed key goes', async () => {
    const { news, url } = await start()
    await news.publish('quote', { symbol: 'AAPL', price: 1 })
    await news.publish('quote', { symbol: 'AAPL', price: 2 })
    await news.publish('quote', { symbol: 'MSFT', price: 3 })
    const source = open(url)
    await vi.waitFor(() =>
      expect({ ...source.getLatest().quote }).toEqual({
        AAPL: { symbol: 'AAPL', price: 2 },
        MSFT: { symbol: 'MSFT', price: 3 },
      }),
    )
    await news.remove('quote', 'AAPL')
    await vi.waitFor(() => expect(Object.keys(source.getLatest().quote ?? {})).toEqual(['MSFT']))
  })

  it('a page goes on from the position that it was rendered at', async () => {
    const { hub, news, url } = await start()
    await news.publish('note', 'in the page')
    const cursor = await hub.cursor()
    await news.publish('note', 'since')
    const heard: string[] = []
    const source = createEventSource<E>(url, { events, cursor })
    cleanups.push(() => source.close())
    source.on('note', (note) => heard.push(note))
    await vi.waitFor(() => expect(heard).toEqual(['since']))
    expect(source.getState().continuity).toBe('resumed')
  })

  it('a stream that the server closes is final', async () => {
    const { hub, url } = await start()
    const source = open(url)
    await until(source, 'open')
    for (const stream of hub.streams) stream.close('complete')
    await until(source, 'closed')
    expect(source.getState()).toMatchObject({ by: 'server', reason: 'complete' })
  })

  it('what was published while a reader was turned out is missing, and said to be, once it may come back', async () => {
    const { hub, news, url } = await start()
    const source = open(url)
    const heard: unknown[] = []
    source.on('note', (note) => heard.push(note))
    source.onResync(({ reason }) => heard.push(reason))
    await until(source, 'open')
    for (const stream of hub.streams) stream.close('signed out')
    await until(source, 'closed')
    await news.publish('note', 'meanwhile')
    source.open()
    await until(source, 'open')
    await news.publish('note', 'since')
    await vi.waitFor(() => expect(heard).toEqual(['unknown', 'since']))
  })

  it('a quiet stream stays open by its heartbeats, and is never stale', async () => {
    const { url } = await start({ heartbeat: 1_000 })
    let received = ''
    const source = open(url, {
      fetch: tap((text) => {
        received += text
      }),
    })
    await until(source, 'open')
    const changes = vi.fn()
    source.subscribe(changes)
    await vi.waitFor(() => expect(received.match(/^event: sse\.live$/gm)).toHaveLength(4), 8_000)
    expect(changes).not.toHaveBeenCalled()
  })

  it('an expired token is renewed once and the stream opens', async () => {
    let valid = 'second'
    const { url } = await start({}, (req, res, next) => {
      if (req.headers.authorization === `Bearer ${valid}`) next()
      else res.status(401).json({ error: 'expired' })
    })
    const tokens = ['first', 'second']
    const source = open(url, { headers: async () => ({ authorization: `Bearer ${tokens.shift()}` }) })
    await until(source, 'open')
    valid = 'third'
    source.reconnect()
    await until(source, 'failed')
    expect(source.getState().error).toMatchObject({ status: 401, body: '{"error":"expired"}' })
  })

  it('leaving a stream leaves none at the server', async () => {
    const { hub, url } = await start()
    const source = open(url, { linger: 0 })
    await until(source, 'open')
    await vi.waitFor(() => expect(hub.streams.size).toBe(1))
    source.close()
    await vi.waitFor(() => expect(hub.streams.size).toBe(0))
  })
})
