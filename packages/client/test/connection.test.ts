import { getEventListeners } from 'node:events'
import { defineEvents, payload, state } from '@sse/contract'
import { describe, expect, it, vi } from 'vitest'
import {
  type ConnectionError,
  createEventSource,
  type EventSourceOptions,
  nativeTransport,
  type Transport,
} from '../src/index.ts'
import { createMockTransport, type MockTransport } from '../src/testing/index.ts'

const events = defineEvents({ counter: state<{ value: number }>(), note: payload<string>() })
type E = typeof events
const url = '/events'

async function connect(
  options: EventSourceOptions<E> = {},
  mock: MockTransport<E> = createMockTransport(events),
) {
  const source = createEventSource<E>(url, { events, transport: mock, ...options })
  const errors: ConnectionError[] = []
  source.onError((error) => errors.push(error))
  source.open()
  await mock.settle()
  return { source, mock, server: mock.at(url), errors, status: () => source.getState().status }
}

describe('an attempt that fails', () => {
  it('is made again after a jittered time, which grows, and which the state tells', async () => {
    const { source, mock, server } = await connect()
    server.drop()
    const waits: number[] = []
    for (let n = 0; n < 6; n += 1) {
      const { status, attempt, retryAt } = source.getState()
      if (status !== 'retrying') throw new Error(status)
      expect(attempt).toBe(n + 2)
      waits.push(retryAt - mock.now())
      server.refuse(503)
      await mock.advance(retryAt - mock.now())
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
  })

  it('says when, why and which', async () => {
    const { source, server } = await connect()
    server.drop()
    expect(source.getState()).toMatchObject({
      status: 'retrying',
      previous: 'open',
      attempt: 2,
      error: { kind: 'network' },
    })
  })

  it('is never followed by another within a second, whatever chance and retry: 0 say', async () => {
    const { mock, server } = await connect({}, createMockTransport(events, { random: () => 0 }))
    for (let n = 0; n < 5; n += 1) {
      server.drop()
      const before = server.requests.length
      await mock.advance(999)
      expect(server.requests.length - before).toBeLessThanOrEqual(1)
      await mock.advance(1)
    }
    expect(server.requests).toHaveLength(6)
  })

  it('begins a new row only after a stream that was stable, not with the 200', async () => {
    const { source, mock, server, status } = await connect()
    server.drop()
    await mock.advance(5_000)
    expect(status()).toBe('open')
    server.drop()
    expect(source.getState().attempt).toBe(3)
    await mock.advance(5_000)
    await mock.advance(10_000)
    expect(status()).toBe('open')
    server.drop()
    expect(source.getState().attempt).toBe(1)
  })

  it('keeps away for Retry-After at least, also when the page becomes visible', async () => {
    const { source, mock, server } = await connect({}, createMockTransport(events, { random: () => 0 }))
    server.refuse(429, { retryAfter: 60_000 })
    server.drop()
    await mock.advance(1_000)
    expect(source.getState()).toMatchObject({ status: 'retrying', error: { kind: 'http', status: 429 } })
    mock.hide()
    mock.show()
    await mock.advance(59_999)
    expect(server.requests).toHaveLength(2)
    await mock.advance(1)
    expect(server.requests).toHaveLength(3)
  })

  it('is the last one when the attempts are spent, and a stable stream gives new ones', async () => {
    const { source, mock, server, status } = await connect({ maxAttempts: 3 })
    server.drop()
    server.refuse(500)
    server.refuse(500)
    await mock.advance(60_000)
    expect(source.getState()).toMatchObject({ status: 'failed', error: { kind: 'http', status: 500 } })
    expect(server.requests).toHaveLength(3)
    expect(mock.timers).toBe(0)
    source.open()
    await mock.settle()
    expect(status()).toBe('open')
    server.drop()
    expect(source.getState()).toMatchObject({ status: 'retrying', attempt: 2 })
  })

  it('begins a new row for listeners who come back after a stream that was stable', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock, maxAttempts: 3 })
    for (let n = 0; n < 2; n += 1) mock.at(url).refuse(503)
    const off = source.on('note', () => {})
    await mock.advance(60_000)
    expect(source.getState()).toMatchObject({ status: 'open' })
    off()
    await mock.advance(1_000)
    expect(source.getState().status).toBe('idle')
    mock.at(url).refuse(503)
    source.on('note', () => {})
    await mock.settle()
    expect(source.getState()).toMatchObject({ status: 'retrying', attempt: 2 })
    source.close()
  })

  it('counts on from where it was when listeners leave and come back', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock, linger: 0, maxAttempts: 3 })
    for (let n = 0; n < 3; n += 1) mock.at(url).refuse(500)
    for (let n = 0; n < 3; n += 1) {
      const off = source.on('note', () => {})
      await mock.settle()
      if (n === 2) expect(source.getState().status).toBe('failed')
      off()
      await mock.settle()
      expect(source.getState().status).toBe('idle')
    }
  })

  it.each([
    [400, 'failed'],
    [401, 'failed'],
    [403, 'failed'],
    [404, 'failed'],
    [408, 'retrying'],
    [425, 'retrying'],
    [429, 'retrying'],
    [500, 'retrying'],
    [502, 'retrying'],
    [503, 'retrying'],
    [504, 'retrying'],
    [204, 'closed'],
  ])('with %i leaves the source %s', async (code, expected) => {
    const mock = createMockTransport(events)
    mock.at(url).refuse(code)
    const { status } = await connect({}, mock)
    expect(status()).toBe(expected)
  })

  it('is judged by the app first', async () => {
    const when = vi.fn((error: ConnectionError) => (error.status === 404 ? true : undefined))
    const mock = createMockTransport(events)
    mock.at(url).refuse(404)
    const first = await connect({ when }, mock)
    expect(first.status()).toBe('retrying')
    expect(when).toHaveBeenCalledWith(expect.objectContaining({ status: 404 }), 1)
    const second = await connect({ when: () => false })
    second.server.drop()
    expect(second.status()).toBe('failed')
  })

  it('hears an answer within the time-out, or ends', async () => {
    const mock = createMockTransport(events)
    mock.at(url).hang()
    const { source, status } = await connect({ connectTimeout: 5_000 }, mock)
    await mock.advance(4_999)
    expect(status()).toBe('connecting')
    await mock.advance(1)
    expect(source.getState()).toMatchObject({ status: 'retrying', error: { kind: 'timeout' } })
  })

  it('hears an answer within half a minute where no time-out is given', async () => {
    const mock = createMockTransport(events)
    mock.at(url).hang()
    const { status } = await connect({}, mock)
    await mock.advance(29_999)
    expect(status()).toBe('connecting')
    await mock.advance(1)
    expect(status()).toBe('retrying')
  })
})

describe('the native transport', () => {
  it('fails at once where it is to send what it cannot', async () => {
    const source = createEventSource<E>(url, { events, transport: nativeTransport, headers: { a: 'b' } })
    const errors: ConnectionError[] = []
    source.onError((error) => errors.push(error))
    source.open()
    await vi.waitFor(() => expect(source.getState().status).toBe('failed'))
    expect(errors).toMatchObject([{ kind: 'contract', message: expect.stringContaining('fetch transport') }])
  })

  it('sends the cursor in the query, once, whatever the url has already', async () => {
    const opened = vi.fn()
    vi.stubGlobal('document', { baseURI: 'http://127.0.0.1/', visibilityState: 'visible' })
    vi.stubGlobal(
      'EventSource',
      class {
        constructor(url: URL) {
          opened(String(url))
        }
        addEventListener() {}
        close() {}
      },
    )
    const source = createEventSource<E>('/events?lastEventId=a#b', {
      events,
      transport: nativeTransport,
      cursor: 'c',
    })
    source.open()
    await vi.waitFor(() => expect(opened.mock.calls).toEqual([['http://127.0.0.1/events?lastEventId=c#b']]))
    source.close()
    vi.unstubAllGlobals()
  })
})

describe('a 401', () => {
  it('is answered once, at once, with headers asked for anew', async () => {
    let token = 0
    const headers = vi.fn(async () => ({ authorization: `Bearer ${++token}` }))
    const mock = createMockTransport(events)
    mock.at(url).refuse(401)
    const { status, server } = await connect({ headers }, mock)
    expect(status()).toBe('open')
    expect(server.requests.map((request) => request.headers.authorization)).toEqual(['Bearer 1', 'Bearer 2'])
  })
  it('is answered again, once, after each stream that was open: tokens expire more than once', async () => {
    const mock = createMockTransport(events)
    const { server, status } = await connect({ headers: () => ({}) }, mock)
    for (let n = 1; n <= 3; n += 1) {
      server.refuse(401)
      server.drop()
      await mock.advance(10_000)
      expect(status()).toBe('open')
      expect(server.requests).toHaveLength(1 + 2 * n)
    }
  })
  it('is not answered where the app gives up on it', async () => {
    const mock = createMockTransport(events)
    mock.at(url).refuse(401)
    const { server, status } = await connect({ headers: () => ({}), when: () => false }, mock)
    expect(status()).toBe('failed')
    expect(server.requests).toHaveLength(1)
  })
  it('is the only refusal that is answered at once', async () => {
    const mock = createMockTransport(events)
    mock.at(url).refuse(503)
    const { server, status } = await connect({ headers: () => ({}) }, mock)
    expect(status()).toBe('retrying')
    expect(server.requests).toHaveLength(1)
  })
  it('has a url that is a function asked for anew as well', async () => {
    const mock = createMockTransport(events)
    mock.at('/1').refuse(401)
    let token = 0
    const source = createEventSource<E>(() => `/${++token}`, { events, transport: mock })
    source.open()
    await mock.settle()
    expect(source.getState().status).toBe('open')
    expect(mock.at('/2').requests).toHaveLength(1)
  })
  it('is final the second time', async () => {
    const mock = createMockTransport(events)
    mock.at(url).refuse(401)
    mock.at(url).refuse(401, { body: 'log in' })
    const { source, server } = await connect({ headers: () => ({}) }, mock)
    expect(source.getState()).toMatchObject({ status: 'failed', error: { status: 401, body: 'log in' } })
    expect(server.requests).toHaveLength(2)
  })
  it('is asked for anew with every attempt', async () => {
    let token = 0
    const { mock, server } = await connect({ headers: () => ({ token: String(++token) }) })
    server.drop()
    await mock.advance(2_000)
    expect(server.requests.map(({ headers }) => headers.token)).toEqual(['1', '2'])
  })
})

describe('a stream that broke off', () => {
  it('is resumed at the cursor: what was missed comes in order, once, and marked as replayed', async () => {
    const { source, mock, server } = await connect()
    const heard: unknown[] = []
    source.on('note', (note, { replayed }) => heard.push([note, replayed]))
    server.emit('note', 'a')
    server.drop()
    server.emit('note', 'b')
    server.emit('note', 'c')
    await mock.advance(1_000)
    server.emit('note', 'd')
    expect(heard).toEqual([
      ['a', false],
      ['b', true],
      ['c', true],
      ['d', false],
    ])
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'resumed' })
  })

  it('never shows another continuity before the one that the server tells', async () => {
    const { source, mock, server } = await connect()
    const seen: unknown[] = []
    source.subscribe(() => seen.push(source.getState().continuity))
    server.emit('note', 'a')
    server.drop()
    await mock.advance(1_000)
    expect(seen).not.toContain('gap')
    expect(seen).toContain('resumed')
  })

  it('says once when events are missing, and why', async () => {
    const { source, mock, server } = await connect()
    const resync = vi.fn()
    source.onResync(resync)
    server.drop()
    server.gap()
    await mock.advance(1_000)
    expect(resync.mock.calls).toEqual([[{ reason: 'evicted', channels: ['mock'] }]])
    expect(source.getState().continuity).toBe('gap')
  })

  it('may have missed something since the page was rendered, where that has no cursor', async () => {
    const resyncs: unknown[] = []
    const mock = createMockTransport(events)
    const source = createEventSource<E>(url, { events, transport: mock, initial: { counter: { value: 1 } } })
    source.onResync((resync) => resyncs.push(resync))
    source.open()
    await mock.settle()
    expect(resyncs).toEqual([{ reason: 'unknown', channels: [] }])
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'gap' })
  })
  it('starts after the cursor that the page was rendered with', async () => {
    const mock = createMockTransport(events)
    mock.at(url).emit('note', 'rendered')
    mock.at(url).emit('note', 'since')
    const { source } = await connect({ cursor: 'm-1' }, mock)
    expect(source.getState().continuity).toBe('resumed')
    expect(source.getLatest().note).toBe('since')
  })
})

describe('silence', () => {
  it('makes the stream stale first, and then lost', async () => {
    const { source, mock, server } = await connect()
    server.silence()
    await mock.advance(22_499)
    expect(source.getState()).toMatchObject({ status: 'open', stale: false })
    await mock.advance(1)
    expect(source.getState()).toMatchObject({ status: 'open', stale: true })
    await mock.advance(14_999)
    expect(source.getState().status).toBe('open')
    await mock.advance(1)
    expect(source.getState()).toMatchObject({ status: 'retrying', error: { kind: 'stale' } })
  })
  it('is none while heartbeats come, for a day', async () => {
    const { source, mock, server } = await connect()
    const changes = vi.fn()
    source.subscribe(changes)
    await mock.advance(24 * 3_600_000)
    expect(changes).not.toHaveBeenCalled()
    expect(server.requests).toHaveLength(1)
  })
  it('during sleep is no proof: what the server says next counts', async () => {
    const { source, mock, server } = await connect()
    mock.sleep(3_600_000)
    mock.show()
    expect(source.getState()).toMatchObject({ status: 'open', stale: true })
    server.emit('note', 'still here')
    expect(source.getState()).toMatchObject({ status: 'open', stale: false })
    await mock.advance(10_000)
    expect(server.requests).toHaveLength(1)
  })
  it('after waking is judged soon, without waiting for the timer', async () => {
    const { mock, server, status } = await connect()
    server.silence()
    mock.sleep(3_600_000)
    mock.show()
    await mock.advance(2_000)
    expect(status()).toBe('retrying')
  })
  it('of a server that announces no heartbeat is no fault', async () => {
    const mock = createMockTransport(events)
    const quiet: Transport = {
      clock: mock.clock,
      lifecycle: mock.lifecycle,
      connect(_request, handlers) {
        handlers.open()
        return () => {}
      },
    }
    const source = createEventSource(url, { events, transport: quiet })
    source.open()
    await mock.advance(3_600_000)
    expect(source.getState()).toMatchObject({ status: 'open', stale: false })
  })
})

describe('a clock that is set back', () => {
  it('has a lost connection tried again as soon as ever', async () => {
    const { mock, server, status } = await connect()
    await mock.advance(60_000)
    mock.sleep(-86_400_000)
    server.drop()
    await mock.advance(2_000)
    expect(status()).toBe('open')
  })
  it('has a page that is online again connect at once', async () => {
    const { mock, status } = await connect()
    await mock.advance(60_000)
    mock.offline()
    mock.sleep(-86_400_000)
    mock.online()
    await mock.advance(1_000)
    expect(status()).toBe('open')
  })
  it('shortens Retry-After for nobody', async () => {
    const { mock, server, status } = await connect()
    server.refuse(503, { retryAfter: 60_000 })
    server.drop()
    await mock.advance(2_000)
    mock.sleep(-86_400_000)
    mock.show()
    await mock.advance(59_000)
    expect(status()).toBe('retrying')
    await mock.advance(31_000)
    expect(status()).toBe('open')
  })
  it('puts no attempt off for ever, however often the page is looked at', async () => {
    const { mock, server } = await connect()
    server.refuse(503, { retryAfter: 60_000 })
    server.drop()
    await mock.advance(3_000)
    expect(server.requests).toHaveLength(2)
    mock.sleep(-3_600_000)
    for (let n = 0; n < 20; n += 1) {
      mock.hide()
      mock.show()
      await mock.advance(30_000)
    }
    expect(server.requests).toHaveLength(3)
  })
  it('spends no attempts of a stream that lasted', async () => {
    const { mock, server, status } = await connect({ maxAttempts: 1 })
    await mock.advance(3_600_000)
    mock.sleep(-7_200_000)
    server.drop()
    expect(status()).toBe('retrying')
  })
})

describe('the page', () => {
  it('offline, pauses; online, goes on at once and resumes', async () => {
    const { source, mock, server } = await connect()
    await mock.advance(5_000)
    mock.offline()
    expect(source.getState()).toMatchObject({ status: 'paused', cause: 'offline' })
    expect(server.streams).toBe(0)
    server.emit('note', 'meanwhile')
    await mock.advance(600_000)
    expect(server.requests).toHaveLength(1)
    mock.online()
    await mock.settle()
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'resumed', previous: 'connecting' })
    expect(source.getLatest().note).toBe('meanwhile')
  })
  it('that takes itself to be offline, connects for reconnect() all the same', async () => {
    const { source, mock, server, status } = await connect()
    mock.offline()
    source.reconnect()
    await mock.settle()
    expect(status()).toBe('open')
    server.drop()
    await mock.advance(2_000)
    expect(source.getState()).toMatchObject({ status: 'paused', cause: 'offline' })
  })
  it('offline from the start, does not ask', async () => {
    const mock = createMockTransport(events)
    mock.offline()
    const { source, server } = await connect({}, mock)
    expect(source.getState()).toMatchObject({ status: 'paused', cause: 'offline', previous: 'idle' })
    expect(server.requests).toHaveLength(0)
  })
  it('paused, burns no attempt', async () => {
    const { source, mock, server } = await connect({ maxAttempts: 2 })
    for (let n = 0; n < 10; n += 1) {
      mock.offline()
      mock.online()
      await mock.advance(1_500)
      expect(source.getState().status).toBe('open')
    }
    expect(server.requests).toHaveLength(11)
  })
  it('paused, begins a new row only after a stream that was stable', async () => {
    const { source, mock, server } = await connect()
    server.drop()
    await mock.advance(5_000)
    mock.offline()
    mock.online()
    expect(source.getState()).toMatchObject({ status: 'connecting', attempt: 2 })
    await mock.advance(10_000)
    mock.offline()
    mock.online()
    expect(source.getState()).toMatchObject({ status: 'connecting', attempt: 1 })
  })
  it('flapping, makes no more than one attempt a second', async () => {
    const { mock, server } = await connect()
    for (let n = 0; n < 100; n += 1) {
      mock.offline()
      mock.online()
      await mock.advance(100)
    }
    expect(server.requests.length).toBeLessThanOrEqual(11)
    expect(server.streams).toBeLessThanOrEqual(1)
  })
  it('frozen, lets go (so that it can be kept in the back/forward cache); thawed, comes back', async () => {
    const { source, mock, server, status } = await connect()
    mock.freeze()
    expect(source.getState()).toMatchObject({ status: 'paused', cause: 'frozen' })
    expect(server.streams).toBe(0)
    await mock.advance(60_000)
    mock.thaw()
    await mock.settle()
    expect(status()).toBe('open')
  })
  it('frozen, stays so while the network comes and goes', async () => {
    const { source, mock } = await connect()
    await mock.advance(5_000)
    mock.freeze()
    mock.offline()
    mock.online()
    expect(source.getState()).toMatchObject({ status: 'paused', cause: 'frozen' })
  })
  it('hidden, stays connected, and pauses only by choice', async () => {
    const staying = await connect()
    staying.mock.hide()
    expect(staying.status()).toBe('open')
    const pausing = await connect({ pauseWhenHidden: true })
    pausing.mock.hide()
    expect(pausing.source.getState()).toMatchObject({ status: 'paused', cause: 'hidden' })
    await pausing.mock.advance(5_000)
    pausing.mock.show()
    await pausing.mock.settle()
    expect(pausing.status()).toBe('open')
  })
  it('visible or online again, brings the next attempt forward', async () => {
    const { mock, server, status } = await connect()
    server.drop()
    server.refuse(503)
    server.refuse(503)
    server.refuse(503)
    await mock.advance(1_000)
    await mock.advance(2_000)
    await mock.advance(4_000)
    expect(status()).toBe('retrying')
    await mock.advance(1_500)
    mock.show()
    await mock.settle()
    expect(status()).toBe('open')
  })
  it('hidden, brings nothing forward; online, does so also while it is hidden', async () => {
    const { mock, server, status } = await connect()
    for (let n = 0; n < 3; n += 1) server.refuse(503)
    server.drop()
    await mock.advance(7_000)
    await mock.advance(1_500)
    expect(status()).toBe('retrying')
    mock.hide()
    await mock.settle()
    expect(status()).toBe('retrying')
    mock.online()
    await mock.settle()
    expect(status()).toBe('open')
  })
  it('that is offline opens nothing again that somebody closed who heard of it first', async () => {
    const { source, mock } = await connect()
    const other = createEventSource<E>('/other', { events, transport: mock })
    other.open()
    await mock.settle()
    source.subscribe(() => source.getState().status === 'paused' && other.close(), { passive: true })
    mock.offline()
    mock.online()
    await mock.advance(2_000)
    expect(other.getState().status).toBe('closed')
  })

  it('is listened to once, however often the connection is lost', async () => {
    const mock = createMockTransport(events)
    const listen = vi.spyOn(mock.lifecycle, 'listen')
    const { server } = await connect({}, mock)
    for (let n = 0; n < 3; n += 1) {
      server.drop()
      await mock.advance(10_000)
    }
    expect(server.requests).toHaveLength(4)
    expect(listen).toHaveBeenCalledTimes(1)
  })

  it('after an error, hidden and shown, has one connection', async () => {
    const { mock, server } = await connect({ pauseWhenHidden: true })
    server.drop()
    mock.hide()
    mock.show()
    await mock.advance(10_000)
    expect(server.streams).toBe(1)
  })
})

describe('close()', () => {
  it.each([
    [
      'connecting',
      async () => {
        const mock = createMockTransport(events)
        mock.at(url).hang()
        return connect({}, mock)
      },
    ],
    ['open', () => connect()],
    [
      'retrying',
      async () => {
        const kit = await connect()
        kit.server.drop()
        return kit
      },
    ],
    [
      'paused',
      async () => {
        const kit = await connect()
        kit.mock.offline()
        return kit
      },
    ],
  ])('from %s leaves nothing behind and stays', async (name, arrange) => {
    const { source, mock, server, status } = await arrange()
    expect(status()).toBe(name)
    source.on('note', () => {})
    source.close('bye')
    expect(source.getState()).toMatchObject({ status: 'closed', by: 'client', reason: 'bye', previous: name })
    expect(mock.timers).toBe(0)
    expect(mock.listeners).toBe(0)
    const asked = server.requests.length
    source.on('note', () => {})
    mock.online()
    mock.show()
    await mock.advance(3_600_000)
    expect(server.requests).toHaveLength(asked)
    expect(status()).toBe('closed')
  })
  it('leaves no timer where the last listener left just before or leaves after it', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource<E>(url, { events, transport: mock })
    const offs = [source.on('note', () => {}), source.on('note', () => {})]
    await mock.settle()
    for (const off of offs) off()
    expect(mock.timers).toBeGreaterThan(0)
    source.close()
    expect(mock.timers).toBe(0)
    source.on('note', () => {})()
    expect(mock.timers).toBe(0)
    expect(source.getState()).toMatchObject({ status: 'closed', reason: 'closed' })
  })
  it('undoes open(), however often that was said', async () => {
    const { source, mock, status } = await connect()
    source.open()
    source.close()
    source.reconnect()
    await mock.settle()
    expect(status()).toBe('open')
    await mock.advance(1_000)
    expect(status()).toBe('idle')
  })
  it('before the request left, lets none leave', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock })
    source.open()
    source.close()
    await mock.advance(10_000)
    expect(mock.at(url).requests).toHaveLength(0)
  })
  it('by a signal does the same, also one that aborted before', async () => {
    const controller = new AbortController()
    const { source, mock } = await connect({ signal: controller.signal })
    controller.abort()
    expect(source.getState()).toMatchObject({ status: 'closed', by: 'client', reason: 'aborted' })
    expect(mock.timers).toBe(0)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    const late = await connect({ signal: controller.signal })
    expect(late.status()).toBe('closed')
    expect(late.server.requests).toHaveLength(0)
  })
  it('by the server is final: the client stays away', async () => {
    const { source, mock, server } = await connect()
    server.close('complete')
    expect(source.getState()).toMatchObject({ status: 'closed', by: 'server', reason: 'complete' })
    await mock.advance(3_600_000)
    expect(server.requests).toHaveLength(1)
    expect(mock.timers).toBe(0)
  })
  it('in a listener drops what came with the same chunk', async () => {
    const { source, server } = await connect()
    const heard = vi.fn(() => source.close())
    source.on('note', heard)
    server.emit('note', 'a')
    server.emit('note', 'b')
    expect(heard).toHaveBeenCalledTimes(1)
  })
  it('by a listener who hears of open() is the last word', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource<E>(url, { events, transport: mock })
    const off = source.subscribe(
      () => {
        off()
        source.close()
      },
      { passive: true },
    )
    source.open()
    expect(source.getState().status).toBe('closed')
  })
  it('is undone by open()', async () => {
    const { source, mock, status } = await connect()
    source.close()
    source.open()
    await mock.settle()
    expect(status()).toBe('open')
    expect(source.getState().continuity).toBe('resumed')
    source.on('note', () => {})()
    await mock.advance(1_000)
    expect(status()).toBe('open')
    mock.offline()
    expect(status()).toBe('paused')
  })
})

describe('reconnect()', () => {
  it('makes the next attempt now', async () => {
    const { source, mock, server, status } = await connect()
    server.drop()
    source.reconnect()
    await mock.settle()
    expect(status()).toBe('open')
    expect(server.requests).toHaveLength(2)
  })
  it('opens what was closed or has failed', async () => {
    const { source, mock, server, status } = await connect({ maxAttempts: 1 })
    source.close()
    source.reconnect()
    await mock.settle()
    expect(status()).toBe('open')
    server.drop()
    expect(status()).toBe('failed')
    source.reconnect()
    await mock.settle()
    expect(status()).toBe('open')
  })
  it('begins a new row', async () => {
    const { source, server } = await connect()
    server.drop()
    expect(source.getState().attempt).toBe(2)
    source.reconnect()
    expect(source.getState()).toMatchObject({ status: 'connecting', attempt: 1 })
  })
  it('in a listener leaves nothing out of what is newest', async () => {
    const { source, mock, server } = await connect()
    let told = 0
    source.subscribe((change) => {
      if (change === 'latest') told += 1
    })
    source.on('note', () => source.reconnect())
    server.emit('note', 'a')
    expect(source.getLatest()).toEqual({ note: 'a' })
    expect(told).toBe(1)
    await mock.settle()
  })
  it('replaces a stream that is open, and resumes it', async () => {
    const { source, mock, server } = await connect()
    source.reconnect()
    await mock.settle()
    expect(server.streams).toBe(1)
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'resumed' })
  })
})

describe('listeners', () => {
  it('open the source with the first, and close it a moment after the last', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock })
    const off = source.on('note', () => {})
    const offState = source.subscribe(() => {})
    await mock.settle()
    expect(source.getState().status).toBe('open')
    off()
    off()
    await mock.advance(5_000)
    expect(source.getState().status).toBe('open')
    offState()
    await mock.advance(999)
    expect(source.getState().status).toBe('open')
    await mock.advance(1)
    expect(source.getState().status).toBe('idle')
    expect(mock.timers).toBe(0)
  })
  it('who come when a POST was let go of do not send it again; open() does', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock, method: 'POST', body: 'once' })
    source.on('note', () => {})()
    await mock.advance(1_000)
    expect(source.getState()).toMatchObject({ status: 'closed', by: 'client', reason: 'release' })
    source.on('note', () => {})
    await mock.settle()
    expect(mock.at(url).requests).toHaveLength(1)
    source.open()
    await mock.settle()
    expect(mock.at(url).requests).toHaveLength(2)
    source.close()
  })
  it('are not needed to reconnect, but to stay connected', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock })
    source.reconnect()
    await mock.settle()
    expect(source.getState().status).toBe('open')
    expect(mock.at(url).requests).toHaveLength(1)
    await mock.advance(1_000)
    expect(source.getState().status).toBe('idle')
    expect(mock.at(url).streams).toBe(0)
  })
  it('that are passive do neither', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock })
    source.on('note', () => {}, { passive: true })
    source.onError(() => {})
    source.onResync(() => {})
    await mock.settle()
    expect(source.getState().status).toBe('idle')
  })
  it('that come back within the moment find the same stream', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock })
    source.on('note', () => {})()
    await mock.settle()
    source.on('note', () => {})
    await mock.advance(10_000)
    expect(source.getState().status).toBe('open')
    expect(mock.at(url).requests).toHaveLength(1)
  })
  it('are no reason for more than one connection', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource(url, { events, transport: mock })
    for (let n = 0; n < 102; n += 1) source.on('note', () => {})
    await mock.settle()
    expect(mock.at(url).requests).toHaveLength(1)
  })
})
