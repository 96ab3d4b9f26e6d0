import { defineEvents, state } from '@sse/contract'
import { describe, expect, it, vi } from 'vitest'
import { ConnectionError, createEventSource, type EventSourceOptions, type Resync } from '../src/index.ts'
import { createScriptedTransport } from './scripted-transport.ts'

async function connect(options: EventSourceOptions = {}) {
  const transport = createScriptedTransport()
  const source = createEventSource('/events', { transport, ...options })
  const resyncs: Resync[] = []
  const continuities: unknown[] = []
  source.onResync((resync) => resyncs.push(resync))
  source.subscribe(() => {
    const { status, continuity } = source.getState()
    if (status === 'open' && continuities.at(-1) !== continuity) continuities.push(continuity)
    if (status !== 'open') continuities.length = 0
  })
  source.open()
  await transport.clock.settle()
  const again = async (): Promise<void> => {
    transport.last.end()
    await transport.clock.advance(10_000)
  }
  return { transport, source, resyncs, continuities, again }
}
const greeting = { heartbeat: 15_000, resumed: false, replay: 0 }
const unknown = { reason: 'unknown', channels: [] }

describe('with a server that says so, continuity', () => {
  it('is fresh for the first stream', async () => {
    const { transport, continuities, resyncs } = await connect()
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    transport.last.control('sse.live', {}, 'c-1')
    expect(continuities).toEqual(['fresh'])
    expect(resyncs).toEqual([])
  })

  it('is what it says, and nothing before it says it', async () => {
    const { transport, continuities, again, source } = await connect()
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    transport.last.control('sse.live', {}, 'c-1')
    await again()
    transport.last.handlers.open()
    transport.last.handlers.flush('c-1')
    expect(source.getState().status).toBe('connecting')
    transport.last.control('sse.open', { ...greeting, resumed: true })
    expect(continuities).toEqual(['resumed'])
  })

  it('is a gap where a stream was open before, though nothing was heard: what was sent on it may be lost', async () => {
    const { transport, continuities, resyncs, again } = await connect()
    transport.last.handlers.open()
    transport.last.handlers.flush('')
    transport.last.control('sse.open', greeting)
    await again()
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    transport.last.control('sse.live', {}, 'c-1')
    expect(continuities).toEqual(['gap'])
    expect(resyncs).toEqual([unknown])
  })

  it('is a gap where it did not resume: told once, by its own words', async () => {
    const { transport, continuities, resyncs } = await connect({ cursor: 'c-1' })
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    transport.last.control('sse.gap', { channels: ['news'], reason: 'epoch' })
    transport.last.control('sse.live', {}, 'd-1')
    expect(continuities).toEqual(['gap'])
    expect(resyncs).toEqual([{ channels: ['news'], reason: 'epoch' }])
  })

  it('is a gap that the next stream tells where one is cut before it says what is missing', async () => {
    const { transport, resyncs, again } = await connect({ cursor: 'c-1' })
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    await again()
    expect(transport.last.request.cursor).toBe('c-1')
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    transport.last.control('sse.gap', { channels: ['news'], reason: 'epoch' })
    transport.last.control('sse.live', {}, 'd-1')
    expect(resyncs).toEqual([{ channels: ['news'], reason: 'epoch' }])
  })

  it('is a gap before what is left of the log, which is replayed', async () => {
    const { transport, source } = await connect({ cursor: 'c-1' })
    const heard: unknown[] = []
    source.on('*', ({ data }, { replayed }) => heard.push([data, replayed]))
    transport.last.handlers.open()
    transport.last.control('sse.open', { ...greeting, replay: 1 })
    transport.last.control('sse.gap', { channels: ['news'], reason: 'epoch' })
    transport.last.say('note', 1, 'd-1')
    transport.last.control('sse.live', {}, 'd-1')
    transport.last.say('note', 2, 'd-2')
    expect(heard).toEqual([
      [1, true],
      [2, false],
    ])
  })

  it('is a gap where it did not resume, also where it does not say what is missing', async () => {
    const { transport, resyncs } = await connect({ cursor: 'c-1' })
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    transport.last.control('sse.live', {}, 'd-1')
    transport.last.control('sse.live', {}, 'd-1')
    expect(resyncs).toEqual([unknown])
  })

  it('is a gap that is told before anything newer where there was no cursor to resume at', async () => {
    const { transport, source, again } = await connect()
    const told: unknown[] = []
    source.onResync(({ reason }) => told.push(reason))
    source.on('*', ({ data }) => told.push(data))
    transport.last.handlers.open()
    await again()
    transport.last.handlers.open()
    transport.last.control('sse.open', { ...greeting, replay: 2 })
    transport.last.say('quote', 1, 'k-5')
    // In the midst of the replay: from here on it resumes, and nobody would say it any more.
    await again()
    transport.last.handlers.open()
    transport.last.control('sse.open', { ...greeting, resumed: true, replay: 1 }, 'k-5')
    transport.last.say('quote', 2, 'k-6')
    transport.last.control('sse.live', {}, 'k-6')
    expect(told).toEqual(['unknown', 1, 2])
  })

  it('is a gap that is told also where the stream is complete before it is live', async () => {
    const { transport, resyncs, again } = await connect()
    transport.last.handlers.open()
    await again()
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    transport.last.control('sse.close', { reason: 'complete' }, 'k-9')
    expect(resyncs).toEqual([unknown])
  })

  it('is a gap that is told when the app opens a stream anew that the server had closed', async () => {
    const { transport, source, continuities, resyncs } = await connect()
    transport.last.handlers.open()
    transport.last.say('note', 1, 'c-1')
    transport.last.control('sse.close', { reason: 'complete' }, 'c-2')
    expect(source.cursor).toBe('c-2')
    source.open()
    await transport.clock.settle()
    expect(transport.last.request.cursor).toBe('')
    transport.last.handlers.open()
    transport.last.control('sse.open', greeting)
    expect(continuities).toEqual(['gap'])
    expect(resyncs).toEqual([unknown])
  })
})

describe('with a server that does not say', () => {
  it('continuity is a gap after a stream of which anything was heard, with or without ids', async () => {
    for (const id of ['', 'c-1']) {
      const { transport, continuities, resyncs, again } = await connect()
      transport.last.handlers.open()
      transport.last.handlers.flush(id)
      await again()
      transport.last.handlers.open()
      transport.last.say('note', 1, id)
      expect(continuities).toEqual(['gap'])
      expect(resyncs).toEqual([unknown])
    }
  })

  it('nothing is said to be replayed', async () => {
    const { transport, source } = await connect()
    const replays: boolean[] = []
    source.on('note', (_, { replayed }) => replays.push(replayed))
    transport.last.handlers.open()
    transport.last.say('note', 1, 'c-1')
    expect(replays).toEqual([false])
  })

  it('silence is judged by the heartbeat that the app gives, or not at all', async () => {
    for (const speaks of [true, false]) {
      for (const heartbeat of [10_000, undefined]) {
        const { transport, source } = await connect({ cursor: 'c-1', heartbeat })
        transport.last.handlers.open()
        if (speaks) transport.last.say('note', 1)
        await transport.clock.advance(15_000)
        expect(source.getState()).toMatchObject({ status: 'open', stale: heartbeat !== undefined })
      }
    }
  })

  it('the stream is open with its first event, or a second after its headers', async () => {
    const { transport, source, resyncs, again } = await connect({ cursor: 'c-1' })
    transport.last.handlers.open()
    await transport.clock.advance(999)
    expect(source.getState().status).toBe('connecting')
    await transport.clock.advance(1)
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'gap' })
    expect(resyncs).toEqual([unknown])
    await again()
    transport.last.handlers.open()
    transport.last.say('note', 1)
    expect(source.getState().status).toBe('open')
  })
})

describe('the cursor', () => {
  it('is the id of the last event that was dispatched, also within a chunk that was cut short', async () => {
    const { transport, source } = await connect()
    transport.last.handlers.open()
    source.on('note', () => source.close())
    transport.last.handlers.event({ event: 'note', data: '1', id: 'c-1' })
    transport.last.handlers.event({ event: 'note', data: '2', id: 'c-2' })
    transport.last.handlers.flush('c-2')
    expect(source.cursor).toBe('c-1')
  })
  it('moves with a position that came without an event', async () => {
    const { transport, source } = await connect()
    transport.last.handlers.open()
    transport.last.handlers.flush('c-1')
    expect(source.cursor).toBe('c-1')
  })
})

describe('the app may act in the middle of things:', () => {
  it('close() in a subscriber that hears of an attempt, and no request leaves', async () => {
    const transport = createScriptedTransport()
    const source = createEventSource('/events', { transport })
    source.subscribe(() => {
      if (source.getState().status === 'connecting') source.close()
    })
    await transport.clock.settle()
    expect(transport.attempts).toEqual([])
    expect(transport.clock.pending).toBe(0)
  })
  it('close() in a subscriber that hears of a gap, and nobody is told to resync a source that is closed', async () => {
    for (const ours of [true, false]) {
      const { transport, source, resyncs } = await connect({ initial: {} })
      source.subscribe(() => {
        if (source.getState().continuity === 'gap') source.close()
      })
      transport.last.handlers.open()
      if (ours) transport.last.control('sse.open', greeting)
      else transport.last.say('note', 1)
      expect(source.getState().status).toBe('closed')
      expect(resyncs).toEqual([])
    }
  })
  it('close() in `when`, and it stays closed', async () => {
    const { source, transport } = await connect({
      when: () => {
        source.close('enough')
        return true
      },
    })
    transport.last.end()
    expect(source.getState()).toMatchObject({ status: 'closed', reason: 'enough' })
    expect(transport.clock.pending).toBe(0)
  })
  it('reconnect() in `when`, and that is the attempt that is made', async () => {
    const { source, transport } = await connect({
      when: () => {
        source.reconnect()
        return false
      },
    })
    transport.last.end()
    await transport.clock.settle()
    expect(source.getState().status).toBe('connecting')
    expect(transport.attempts).toHaveLength(2)
  })
  it('leave in a listener, and no other one of its own hears the event any more', async () => {
    const { transport, source } = await connect()
    transport.last.handlers.open()
    const second = vi.fn()
    const offs: (() => void)[] = []
    source.on('note', () => {
      for (const off of offs) off()
    })
    offs.push(source.on('note', second))
    transport.last.say('note', 1)
    expect(second).not.toHaveBeenCalled()
  })
  it('close() while frozen and open() later, and it connects', async () => {
    const { transport, source } = await connect()
    transport.lifecycle.signal('freeze')
    source.close()
    source.open()
    expect(source.getState().status).toBe('connecting')
  })
})

describe('a transport', () => {
  it('that speaks while it is stopped is not heard', async () => {
    const { transport, source } = await connect()
    const errors: unknown[] = []
    source.onError((error) => errors.push(error))
    const speaking = createEventSource('/events', {
      transport: {
        clock: transport.clock,
        lifecycle: transport.lifecycle,
        connect: (_request, handlers) => () => handlers.end(new ConnectionError('network', 'stopped')),
      },
    })
    speaking.onError((error) => errors.push(error))
    speaking.open()
    await transport.clock.settle()
    speaking.reconnect()
    await transport.clock.settle()
    expect(speaking.getState().status).toBe('connecting')
    speaking.close()
    expect(speaking.getState().status).toBe('closed')
    expect(errors).toEqual([])
  })
  it('whose event makes a listener reconnect before it is heard, is asked for it again', async () => {
    const { transport, source } = await connect({ cursor: 'c-1' })
    const heard = vi.fn()
    source.on('note', heard)
    const off = source.subscribe(() => {
      if (source.getState().status !== 'open') return
      off()
      source.reconnect()
    })
    transport.last.handlers.open()
    transport.last.say('note', 1, 'c-2')
    expect(heard).not.toHaveBeenCalled()
    await transport.clock.advance(2_000)
    expect(transport.last.request.cursor).toBe('c-1')
  })
  it('that is lost while a listener reconnects, leaves the new attempt alone', async () => {
    const when = vi.fn(() => false)
    const { transport, source } = await connect({ when })
    transport.last.handlers.open()
    transport.last.handlers.event({ event: 'note', data: '1', id: '' })
    const errors: unknown[] = []
    source.onError((error) => errors.push(error))
    const off = source.subscribe((change) => {
      if (change !== 'latest') return
      off()
      source.reconnect()
    })
    transport.last.end()
    expect(source.getState()).toMatchObject({ status: 'connecting', attempt: 1 })
    expect(errors).toEqual([])
    expect(when).not.toHaveBeenCalled()
  })
  it('that ends within connect() is cleaned up all the same', async () => {
    const { clock, lifecycle } = createScriptedTransport()
    const aborted = vi.fn()
    const source = createEventSource('/events', {
      transport: {
        clock,
        lifecycle,
        connect(_request, handlers) {
          handlers.open()
          handlers.event({ event: 'sse.close', data: '{"reason":"x"}', id: '' })
          return aborted
        },
      },
    })
    source.open()
    await clock.settle()
    expect(source.getState()).toMatchObject({ status: 'closed', by: 'server' })
    source.close()
    source.open()
    source.close()
    expect(aborted).toHaveBeenCalledTimes(1)
  })
})

describe('the page', () => {
  it('offline, leaves a request alone that cannot be made again', async () => {
    const { transport, source } = await connect({ method: 'POST', body: 'x' })
    transport.last.handlers.open()
    transport.lifecycle.signal('offline')
    transport.lifecycle.signal('freeze')
    expect(source.getState().status).toBe('open')
    expect(transport.last.aborted).toBe(false)
    source.reconnect()
    await transport.clock.settle()
    expect(transport.attempts).toHaveLength(1)
  })
  it('offline, leaves it alone also after another open(), which does not send it again', async () => {
    const { transport, source } = await connect({ method: 'POST', body: 'x' })
    transport.last.handlers.open()
    source.open()
    transport.lifecycle.signal('offline')
    expect(source.getState().status).toBe('open')
    transport.last.end()
    expect(source.getState().status).toBe('failed')
  })
  it('visible again and again, changes nothing once the attempt is as early as it may be', async () => {
    const { transport, source } = await connect()
    transport.last.end()
    transport.lifecycle.signal('visibilitychange')
    const state = source.getState()
    transport.lifecycle.signal('visibilitychange')
    expect(source.getState()).toBe(state)
  })
})

describe('a snapshot', () => {
  it('of keyed state is never changed by what comes later', async () => {
    const events = defineEvents({ quote: state<{ symbol: string; price: number }>((quote) => quote.symbol) })
    const transport = createScriptedTransport()
    const source = createEventSource('/events', { events, transport })
    source.open()
    await transport.clock.settle()
    transport.last.handlers.open()
    transport.last.say('quote', { symbol: 'A', price: 1 })
    const before = source.getLatest()
    transport.last.say('quote', { symbol: 'A', price: 2 })
    expect(before.quote?.A?.price).toBe(1)
    expect(source.getLatest().quote?.A?.price).toBe(2)
  })
})
