import { setTimeout as turn } from 'node:timers/promises'
import { defineEvents, payload, state, text } from '@sse/contract'
import { encodeControl, encodeEvent } from '@sse/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  type ConnectionError,
  createEventReducer,
  createEventSource,
  type EventSourceOptions,
  eventsOf,
  type TypedEventSource,
} from '../src/index.ts'
import { createMockTransport } from '../src/testing/index.ts'
import { serve, stream } from './endpoint.ts'
import { createScriptedTransport } from './scripted-transport.ts'

interface Quote {
  symbol: string
  price: number
}
const events = defineEvents({
  counter: state<{ value: number }>(),
  quote: state<Quote>((quote) => quote.symbol),
  notification: z.object({ title: z.string() }),
  ping: payload<null>(),
  log: text(),
})
type E = typeof events
const event = (name: string, data: unknown, id?: string): string =>
  encodeEvent({ event: name, data: JSON.stringify(data), id })

const opened: TypedEventSource<E>[] = []
function create(url: string, options: EventSourceOptions<E> = {}): TypedEventSource<E> {
  const source = createEventSource<E>(url, { events, ...options })
  opened.push(source)
  return source
}
afterEach(() => {
  for (const source of opened.splice(0)) source.close()
})

describe('an event', () => {
  it('is heard by name with its meta, also the one that came with the headers', async () => {
    await using endpoint = await serve(stream(event('notification', { title: 'hello' }, 'e-1')))
    const source = create(endpoint.url)
    expect(source.getState().status).toBe('idle')
    expect(endpoint.requests).toHaveLength(0)
    const heard = vi.fn()
    source.on('notification', heard)
    await vi.waitFor(() => expect(heard).toHaveBeenCalled())
    expect(heard).toHaveBeenCalledWith(
      { title: 'hello' },
      { event: 'notification', id: 'e-1', replayed: false },
    )
    expect(source.getState()).toMatchObject({ status: 'open', previous: 'connecting', continuity: 'fresh' })
    expect(source.cursor).toBe('e-1')
  })

  it('is not heard by the name of another', async () => {
    const mock = createMockTransport(events)
    const source = create('/events', { transport: mock })
    const heard = vi.fn()
    source.on('ping', heard)
    await mock.settle()
    mock.at('/events').emit('counter', { value: 1 })
    expect(source.getLatest().counter).toEqual({ value: 1 })
    expect(heard).not.toHaveBeenCalled()
  })

  it("is heard by '*' whatever its name", async () => {
    await using endpoint = await serve(
      stream(event('ping', null), encodeEvent({ event: 'log', data: 'a\nb' })),
    )
    const heard: unknown[] = []
    create(endpoint.url).on('*', ({ event, data }) => heard.push([event, data]))
    await vi.waitFor(() => expect(heard).toHaveLength(2))
    expect(heard).toEqual([
      ['ping', null],
      ['log', 'a\nb'],
    ])
  })

  it('counts as well when it is 0, false, "" or null', async () => {
    await using endpoint = await serve(stream(...[0, false, '', null].map((data) => event('any', data))))
    const source = createEventSource<{ any: unknown }>(endpoint.url)
    const heard: unknown[] = []
    source.on('any', (data) => heard.push(data))
    await vi.waitFor(() => expect(heard).toEqual([0, false, '', null]))
    source.close()
  })

  it('arrives whole and in order from a network that gives one byte at a time', async () => {
    const titles = ['größer', '日本語', '🎉🎉', 'plain']
    const bytes = Buffer.from(titles.map((title, n) => event('notification', { title }, `e-${n}`)).join(''))
    await using endpoint = await serve(async (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
      res.socket?.setNoDelay(true)
      for (const byte of bytes) {
        res.write(Buffer.of(byte))
        await turn()
      }
    })
    const heard: string[] = []
    create(endpoint.url).on('notification', ({ title }) => heard.push(title))
    await vi.waitFor(() => expect(heard).toEqual(titles), 5_000)
  })

  it('that is not in the contract is passed over, and the cursor moves', async () => {
    await using endpoint = await serve(
      stream(event('constructor', 1, 'e-1'), event('newer', 1, 'e-2'), event('ping', null)),
    )
    const source = create(endpoint.url)
    const error = vi.fn()
    const any = vi.fn()
    source.onError(error)
    source.on('*', any)
    await vi.waitFor(() => expect(any).toHaveBeenCalledTimes(1))
    expect(source.cursor).toBe('e-2')
    expect(error).not.toHaveBeenCalled()
  })

  it('that breaks the contract is an error, and the stream goes on', async () => {
    await using endpoint = await serve(
      stream(
        event('notification', { title: 1 }, 'e-1'),
        encodeEvent({ event: 'notification', data: 'not json', id: 'e-2' }),
        event('notification', { title: 'good' }, 'e-3'),
      ),
    )
    const source = create(endpoint.url)
    const errors: ConnectionError[] = []
    const heard = vi.fn()
    source.onError((error) => errors.push(error))
    source.on('notification', heard)
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1))
    expect(errors.map(({ kind }) => kind)).toEqual(['contract', 'contract'])
    expect(source.getState().status).toBe('open')
    expect(endpoint.requests).toHaveLength(1)
  })

  it('that breaks the contract is reported where nobody listens for errors, and no other error is', async () => {
    const report = vi.fn()
    vi.stubGlobal('reportError', report)
    const transport = createScriptedTransport()
    const source = create('/events', { transport })
    source.open()
    await transport.clock.settle()
    transport.last.handlers.open()
    transport.last.say('notification', { title: 1 })
    expect(report.mock.calls).toMatchObject([[{ kind: 'contract' }]])
    const off = source.onError(() => {})
    transport.last.say('notification', { title: 1 })
    off()
    transport.last.end()
    expect(source.getState().status).toBe('retrying')
    expect(report).toHaveBeenCalledTimes(1)
    vi.unstubAllGlobals()
  })

  it("named 'error' or 'open' is not taken for the connection's own", async () => {
    await using endpoint = await serve(stream(event('error', 'x'), event('open', 'x'), event('ping', null)))
    const source = create(endpoint.url)
    const heard = vi.fn()
    source.on('*', heard)
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1))
    expect(source.getState()).toMatchObject({ status: 'open', error: undefined })
  })

  it('reaches the other listeners when one throws, whose error is reported', async () => {
    await using endpoint = await serve(stream(event('ping', null), event('ping', null)))
    const source = create(endpoint.url)
    const reported: unknown[] = []
    const report = (error: unknown): void => {
      reported.push(error)
    }
    process.on('uncaughtException', report)
    const before = process.listeners('uncaughtException').filter((listener) => listener !== report)
    for (const listener of before) process.off('uncaughtException', listener)
    try {
      const heard = vi.fn()
      source.on('ping', () => {
        throw new Error('mine')
      })
      source.on('ping', heard)
      await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2))
      await turn()
      expect(reported).toEqual([new Error('mine'), new Error('mine')])
    } finally {
      process.off('uncaughtException', report)
      for (const listener of before) process.on('uncaughtException', listener)
    }
  })
})

describe('the snapshots', () => {
  it('have the newest payload by name, and by key for keyed state; a removed key is gone', async () => {
    await using endpoint = await serve(
      stream(
        event('counter', { value: 1 }),
        event('counter', { value: 2 }),
        event('quote', { symbol: 'AAPL', price: 1 }),
        event('quote', { symbol: 'MSFT', price: 2 }),
        event('quote', { symbol: '__proto__', price: 3 }),
        encodeControl('sse.remove', { event: 'quote', key: 'AAPL' }),
      ),
    )
    const source = create(endpoint.url)
    source.subscribe(() => {})
    await vi.waitFor(() => expect(source.getLatest().counter).toEqual({ value: 2 }))
    expect(Object.keys(source.getLatest().quote ?? {})).toEqual(['MSFT', '__proto__'])
    expect(source.getLatest().quote?.MSFT).toEqual({ symbol: 'MSFT', price: 2 })
    expect(source.getLatest().quote?.constructor).toBeUndefined()
  })

  it.each([
    ['without a contract', undefined],
    ['with a contract of another version', defineEvents({ counter: state<{ value: number }>() })],
  ])('keep %s what is not kept by key, whatever key is removed', async (_, events) => {
    const mock = createMockTransport()
    const source = createEventSource('/events', { ...(events && { events }), transport: mock })
    source.open()
    await mock.settle()
    mock.at('/events').emit('counter', { value: 7 })
    for (const event of ['counter', 'later']) mock.at('/events').remove(event, 'A')
    expect(source.getLatest()).toEqual({ counter: { value: 7 } })
    source.close()
  })

  it('change once for all that came together, and are the same object in between', async () => {
    let write: (text: string) => void = () => {}
    await using endpoint = await serve((req, res) => {
      stream()(req, res)
      write = (text) => res.write(text)
    })
    const source = create(endpoint.url)
    const changes: string[] = []
    source.subscribe((change) => changes.push(change))
    await vi.waitFor(() => expect(source.getState().status).toBe('open'))
    const { getState, getLatest } = source
    const first = getLatest()
    write(Array.from({ length: 100 }, (_, value) => event('counter', { value })).join(''))
    await vi.waitFor(() => expect(getLatest().counter).toEqual({ value: 99 }))
    expect(changes).toEqual(['state', 'state', 'latest'])
    expect(getLatest()).not.toBe(first)
    expect(getLatest()).toBe(getLatest())
    expect(getState()).toBe(getState())
  })
})

describe('a reducer', () => {
  it('adds up events whether or not somebody looks, and tells once for those that came together', async () => {
    await using endpoint = await serve(
      stream(event('notification', { title: 'a' }), event('notification', { title: 'b' })),
    )
    const source = create(endpoint.url)
    const titles = createEventReducer(source, {
      initial: [] as readonly string[],
      reduce: { notification: (list, { title }) => [...list, title] },
    })
    expect(source.getState().status).toBe('idle')
    const told = vi.fn()
    titles.subscribe(told)
    await vi.waitFor(() => expect(titles.getState()).toEqual(['a', 'b']))
    expect(told).toHaveBeenCalledTimes(1)
  })

  it('may begin anew where events went missing, and tells so', async () => {
    await using endpoint = await serve(
      stream(
        event('notification', { title: 'a' }),
        encodeControl('sse.gap', { channels: ['news'], reason: 'evicted' }),
      ),
    )
    const titles = createEventReducer(create(endpoint.url), {
      initial: [] as readonly string[],
      reduce: { notification: (list, { title }) => [...list, title] },
      onGap: (list, { reason }) => [...list, `gap: ${reason}`],
    })
    const told: (readonly string[])[] = []
    titles.subscribe(() => told.push(titles.getState()))
    await vi.waitFor(() => expect(told.at(-1)).toEqual(['a', 'gap: evicted']))
  })

  it('passes over an event that has the name of what every object has', async () => {
    const transport = createScriptedTransport()
    const source = createEventSource('/events', { transport })
    const count = createEventReducer(source, { initial: 0, reduce: {} })
    source.open()
    await transport.clock.settle()
    transport.last.handlers.open()
    transport.last.say('constructor', 1)
    expect(count.getState()).toBe(0)
  })
})

describe('a subscriber of a reducer', () => {
  it('hears of changes of its state alone, until it leaves', async () => {
    const mock = createMockTransport(events)
    const source = create('/events', { transport: mock })
    const pings = createEventReducer(source, {
      initial: 0,
      reduce: { ping: (count) => count + 1 },
      onGap: (count) => count + 1,
    })
    const told = vi.fn()
    const off = pings.subscribe(told)
    await mock.settle()
    const server = mock.at('/events')
    server.emit('counter', { value: 1 })
    expect(told).not.toHaveBeenCalled()
    server.emit('ping', null)
    server.emit('counter', { value: 2 })
    expect(told).toHaveBeenCalledTimes(1)
    off()
    server.emit('ping', null)
    server.gap()
    expect(pings.getState()).toBe(3)
    expect(told).toHaveBeenCalledTimes(1)
    await mock.advance(1_000)
    expect(source.getState().status).toBe('idle')
  })
})

describe('for await', () => {
  it('reads every event in order until the server closes the stream', async () => {
    await using endpoint = await serve(
      stream(
        event('notification', { title: 'a' }),
        event('ping', null),
        encodeControl('sse.close', { reason: 'complete' }),
      ),
    )
    const names: string[] = []
    for await (const { event } of eventsOf(create(endpoint.url))) names.push(event)
    expect(names).toEqual(['notification', 'ping'])
  })

  it('lets go of the stream when the loop is left', async () => {
    await using endpoint = await serve(stream(event('ping', null), event('ping', null)))
    const source = create(endpoint.url, { linger: 0 })
    for await (const { event } of eventsOf(source)) {
      expect(event).toBe('ping')
      break
    }
    const reader = eventsOf(source)
    await reader.return?.()
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    await vi.waitFor(() => expect(source.getState().status).toBe('idle'))
  })

  it('throws what the source failed with', async () => {
    await using endpoint = await serve((_req, res) => {
      res.writeHead(403).end('no')
    })
    const read = async (): Promise<void> => {
      for await (const _ of eventsOf(create(endpoint.url))) throw new Error('no event was sent')
    }
    await expect(read()).rejects.toMatchObject({ kind: 'http', status: 403, body: 'no' })
  })

  it('reads on where more than it has room for comes at once', async () => {
    const values = Array.from({ length: 1_500 }, (_, value) => value)
    await using endpoint = await serve(stream(values.map((value) => event('counter', { value })).join('')))
    const read: unknown[] = []
    for await (const { data } of eventsOf(create(endpoint.url))) if (read.push(data) === values.length) break
    expect(read).toEqual(values.map((value) => ({ value })))
  })

  it('settles every next() that waits, in order, and when the loop is left', async () => {
    await using endpoint = await serve(stream(event('counter', { value: 1 }), event('counter', { value: 2 })))
    const reader = eventsOf(create(endpoint.url))
    const results = await Promise.all([reader.next(), reader.next()])
    expect(results.map(({ value }) => value?.data)).toEqual([{ value: 1 }, { value: 2 }])
    const left = [reader.next(), reader.next()]
    await reader.return?.()
    expect((await Promise.all(left)).map(({ done }) => done)).toEqual([true, true])
  })

  it('ends a reader that falls too far behind with an error, after what had come', async () => {
    await using endpoint = await serve(
      stream(Array.from({ length: 1_100 }, (_, value) => event('counter', { value })).join('')),
    )
    const source = create(endpoint.url)
    const reader = eventsOf(source)
    await vi.waitFor(() => expect(source.getLatest().counter?.value).toBe(1_099))
    await turn() // one who begins to read in the task in which they came has kept up
    let read = 0
    const drain = async (): Promise<void> => {
      for await (const { data } of reader) {
        expect(data).toEqual({ value: read })
        read += 1
      }
    }
    await expect(drain()).rejects.toMatchObject({ kind: 'overflow' })
    expect(read).toBe(1_100)
  })
})
