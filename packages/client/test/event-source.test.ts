import { defineEvents, payload, state } from '@sse/contract'
import { encodeControl, encodeEvent } from '@sse/protocol'
import { describe, expect, it, vi } from 'vitest'
import { createEventReducer, createEventSource } from '../src/index.ts'
import { serve, stream } from './endpoint.ts'

interface Quote {
  symbol: string
  price: number
}
const events = defineEvents({
  counter: state<{ value: number }>(),
  quote: state<Quote>((quote) => quote.symbol),
  notification: payload<{ title: string }>(),
})
const event = (name: string, data: unknown, id?: string): string =>
  encodeEvent({ event: name, data: JSON.stringify(data), id })

describe('a source', () => {
  it('opens with its first listener and hears the event that came with the headers', async () => {
    await using endpoint = await serve(stream(event('notification', { title: 'hello' }, 'e-1')))
    const source = createEventSource(endpoint.url, { events })
    expect(source.getState().status).toBe('idle')
    expect(endpoint.requests).toHaveLength(0)
    const heard = vi.fn()
    source.on('notification', heard)
    await vi.waitFor(() =>
      expect(heard).toHaveBeenCalledWith(
        { title: 'hello' },
        { event: 'notification', id: 'e-1', replayed: false },
      ),
    )
    expect(source.getState()).toMatchObject({ status: 'open', previous: 'connecting', continuity: 'fresh' })
    expect(source.cursor).toBe('e-1')
    source.close()
    expect(source.getState()).toMatchObject({ status: 'closed', by: 'client' })
  })

  it('keeps the newest payload by name, and by key for keyed state', async () => {
    await using endpoint = await serve(
      stream(
        event('counter', { value: 1 }),
        event('counter', { value: 2 }),
        event('quote', { symbol: 'AAPL', price: 1 }),
        event('quote', { symbol: 'MSFT', price: 2 }),
        encodeControl('sse.remove', { event: 'quote', key: 'AAPL' }),
      ),
    )
    const source = createEventSource(endpoint.url, { events })
    source.subscribe(() => {})
    await vi.waitFor(() =>
      expect(source.getLatest()).toEqual({
        counter: { value: 2 },
        quote: { MSFT: { symbol: 'MSFT', price: 2 } },
      }),
    )
    source.close()
  })

  it('adds up events in a reducer', async () => {
    await using endpoint = await serve(
      stream(event('notification', { title: 'a' }), event('notification', { title: 'b' })),
    )
    const source = createEventSource(endpoint.url, { events })
    const titles = createEventReducer(source, {
      initial: [] as string[],
      reduce: { notification: (list, { title }) => [...list, title] },
    })
    titles.subscribe(() => {})
    await vi.waitFor(() => expect(titles.getState()).toEqual(['a', 'b']))
    source.close()
  })
})
