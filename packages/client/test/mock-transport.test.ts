import { defineEvents, payload, state, text } from '@sse/contract'
import { describe, expect, it } from 'vitest'
import { createEventSource } from '../src/index.ts'
import { createMockTransport } from '../src/testing/index.ts'

const events = defineEvents({
  quote: state<{ symbol: string; price: number }>((quote) => quote.symbol),
  note: payload<string>(),
})

describe('the mock transport', () => {
  it('brings a source into each of its states in a line', async () => {
    const mock = createMockTransport(events)
    const server = mock.at('/events')
    const source = createEventSource('/events', { events, transport: mock })
    const status = (): string => source.getState().status
    expect(status()).toBe('idle')
    source.open()
    expect(status()).toBe('connecting')
    await mock.settle()
    expect(status()).toBe('open')
    server.silence()
    await mock.advance(30_000)
    expect(source.getState().stale).toBe(true)
    server.drop()
    expect(status()).toBe('retrying')
    mock.offline()
    expect(status()).toBe('paused')
    server.refuse(403)
    mock.online()
    await mock.settle()
    expect(status()).toBe('failed')
    source.open()
    await mock.settle()
    server.close('complete')
    expect(status()).toBe('closed')
  })

  it('is a server with one log: who comes back is caught up, who came too late is told', async () => {
    const mock = createMockTransport(events)
    const server = mock.at('/events')
    server.emit('note', 'before')
    const source = createEventSource('/events', { events, transport: mock })
    const heard: unknown[] = []
    source.on('note', (note) => heard.push(note))
    source.onResync(({ reason }) => heard.push(reason))
    await mock.settle()
    server.emit('note', 'live')
    server.drop()
    server.emit('note', 'missed')
    await mock.advance(1_000)
    server.gap('evicted')
    server.drop()
    server.emit('note', 'newer')
    await mock.advance(5_000)
    expect(heard).toEqual(['live', 'missed', 'evicted', 'newer'])
  })

  it('gives who is new the newest of each state, as a server does, and nothing else', async () => {
    const mock = createMockTransport(events)
    const server = mock.at('/events')
    server.emit('note', 'before')
    for (const price of [1, 2]) server.emit('quote', { symbol: 'A', price })
    server.emit('quote', { symbol: 'B', price: 3 })
    server.emit('quote', { symbol: 'C', price: 4 })
    server.remove('quote', 'C')
    const source = createEventSource('/events', { events, transport: mock })
    const heard: unknown[] = []
    source.on('*', ({ data }, { id, replayed }) => heard.push([id, data, replayed]))
    await mock.settle()
    expect(heard).toEqual([
      ['m-3', { symbol: 'A', price: 2 }, true],
      ['m-4', { symbol: 'B', price: 3 }, true],
    ])
    expect(source.cursor).toBe('m-6')
    source.close()
  })

  it('says one thing after the other, also what a listener has it say', async () => {
    const mock = createMockTransport(events)
    const server = mock.at('/events')
    const [one, other] = [1, 2].map(() => createEventSource('/events', { events, transport: mock }))
    const heard: string[] = []
    one?.on('note', (note) => {
      if (note === '1') server.emit('note', '2')
    })
    other?.on('note', (note, { id }) => heard.push(`${note} ${id}`))
    await mock.settle()
    server.emit('note', '1')
    expect(heard).toEqual(['1 m-1', '2 m-2'])
    one?.close()
    server.drop()
    server.emit('note', '3')
    const stop = other?.subscribe(() => {
      if (other.getState().status !== 'open') return
      stop?.()
      server.emit('note', '4')
    })
    await mock.advance(5_000)
    expect(heard.slice(2)).toEqual(['3 m-3', '4 m-4'])
    other?.close()
  })

  it('voids state', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource('/events', { events, transport: mock })
    source.open()
    await mock.settle()
    mock.at('/events').emit('quote', { symbol: 'A', price: 1 })
    mock.at('/events').emit('quote', { symbol: 'B', price: 2 })
    mock.at('/events').remove('quote', 'A')
    expect(Object.keys(source.getLatest().quote ?? {})).toEqual(['B'])
  })

  it('refuses what the contract does not have', () => {
    const mock = createMockTransport(events)
    expect(() => Reflect.apply(mock.at('/events').emit, undefined, ['nothing', 1])).toThrow(
      /not in the contract/,
    )
  })

  it('refuses what a server does, and says it as a server does', async () => {
    const mixed = defineEvents({
      log: text(),
      counter: state<number>(),
      quote: state<{ id: string }>((q) => q.id),
    })
    const mock = createMockTransport(mixed)
    const server = mock.at('/events')
    const source = createEventSource('/events', { events: mixed, transport: mock })
    const heard: string[] = []
    source.on('log', (line) => heard.push(line))
    await mock.settle()
    server.emit('log', 'a\r\nb\rc')
    expect(heard).toEqual(['a\nb\nc'])
    expect(() => server.remove('log')).toThrow(/'log'/)
    expect(() => server.remove('quote')).toThrow(/'quote'/)
    expect(() => server.remove('counter', 'a')).toThrow(/'counter'/)
    server.emit('counter', 1)
    server.remove('counter')
    expect(source.getLatest()).toEqual({ log: 'a\nb\nc' })
  })

  it('is where a sleep has brought it, also in the midst of an advance', async () => {
    const mock = createMockTransport(events)
    const source = createEventSource('/events', { events, transport: mock })
    source.open()
    await mock.settle()
    const start = mock.now()
    source.on('note', () => mock.sleep(60_000))
    const advancing = mock.advance(10)
    mock.at('/events').emit('note', 'x')
    await advancing
    expect(mock.now() - start).toBeGreaterThanOrEqual(60_000)
  })

  it('settles headers that are long in coming', async () => {
    const mock = createMockTransport(events)
    const headers = async () => {
      for (let turn = 0; turn < 40; turn += 1) await null
      return {}
    }
    const source = createEventSource('/events', { events, transport: mock, headers })
    source.open()
    await mock.settle()
    expect(source.getState().status).toBe('open')
  })
})
