import { type Contract, defineEvents, payload, state, text } from '@sse/contract'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  type ConnectionError,
  createEventReducer,
  createEventSource,
  type EventMeta,
  eventsOf,
  type PauseCause,
  type SourceEvent,
  type TypedEventSource,
} from '../src/index.ts'
import { createMockTransport, type MockTransport } from '../src/testing/index.ts'

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
const source = createEventSource('/events', { events })

describe('a source with a contract', () => {
  it('types what is heard', () => {
    source.on('notification', (data, meta) => {
      expectTypeOf(data).toEqualTypeOf<{ title: string }>()
      expectTypeOf(meta).toEqualTypeOf<EventMeta<'notification'>>()
    })
    source.on('log', (data) => expectTypeOf(data).toEqualTypeOf<string>())
  })
  it('refuses names that are not in it', () => {
    // @ts-expect-error a typo
    source.on('notifcation', () => {})
    // @ts-expect-error the library's own
    source.on('sse.open', () => {})
  })
  it('refuses listeners of another payload', () => {
    // @ts-expect-error it is an object
    source.on('counter', (_data: number) => {})
  })
  it('has the newest payloads', () => {
    expectTypeOf(source.getLatest().counter).toEqualTypeOf<{ value: number } | undefined>()
    expectTypeOf(source.getLatest().quote).toEqualTypeOf<Readonly<Record<string, Quote>> | undefined>()
  })
  it("tells events apart for '*' and for await", async () => {
    source.on('*', (event) => {
      if (event.event === 'counter') expectTypeOf(event.data).toEqualTypeOf<{ value: number }>()
    })
    for await (const event of eventsOf(source)) {
      expectTypeOf(event).toEqualTypeOf<SourceEvent<typeof events>>()
      if (event.event === 'log') expectTypeOf(event.data).toEqualTypeOf<string>()
    }
  })
  it('types a reducer by its initial state', () => {
    const titles = createEventReducer(source, {
      initial: [] as string[],
      reduce: { notification: (list, { title }) => [...list, title] },
    })
    expectTypeOf(titles.getState()).toEqualTypeOf<string[]>()
    createEventReducer(source, {
      initial: 0,
      // @ts-expect-error not an event
      reduce: { nothing: (n: number) => n },
    })
  })
})

describe('a source with a plain type', () => {
  it('types what is heard', () => {
    const plain = createEventSource<{ tick: { at: number } }>('/events')
    plain.on('tick', (data) => expectTypeOf(data).toEqualTypeOf<{ at: number }>())
    // @ts-expect-error not an event
    plain.on('tock', () => {})
  })
})

describe('a source without either', () => {
  it('takes any name and gives unknown', () => {
    createEventSource('/events').on('anything', (data) => expectTypeOf(data).toEqualTypeOf<unknown>())
  })
})

describe('the state', () => {
  it('is narrowed by its status, also where it was destructured', () => {
    const { status, attempt, retryAt, error, cause, by, since, continuity, stale } = source.getState()
    if (status === 'retrying') {
      expectTypeOf(attempt).toEqualTypeOf<number>()
      expectTypeOf(retryAt).toEqualTypeOf<number>()
      expectTypeOf(error).toEqualTypeOf<ConnectionError>()
      expectTypeOf(cause).toEqualTypeOf<undefined>()
    }
    if (status === 'paused') expectTypeOf(cause).toEqualTypeOf<PauseCause>()
    if (status === 'closed') expectTypeOf(by).toEqualTypeOf<'client' | 'server'>()
    if (status === 'open') {
      expectTypeOf(since).toEqualTypeOf<number>()
      expectTypeOf(continuity).toEqualTypeOf<'fresh' | 'resumed' | 'gap'>()
      expectTypeOf(stale).toEqualTypeOf<boolean>()
    }
  })
})

describe('the mock transport', () => {
  it('emits what the contract has', () => {
    const mock = createMockTransport(events)
    mock.at('/events').emit('counter', { value: 1 })
    // @ts-expect-error not of its shape
    mock.at('/events').emit('counter', 1)
  })
})

describe('types without a contract', () => {
  it('are those of any source', () => {
    expectTypeOf(source).toExtend<TypedEventSource>()
    expectTypeOf(createEventSource<{ greeting: { name: string } }>('/events')).toExtend<TypedEventSource>()
    expectTypeOf(createMockTransport(events)).toExtend<MockTransport>()
  })
})

describe('a contract of which nothing is known', () => {
  it('makes a source that hears anything', () => {
    const unknown: Contract = events
    createEventSource('/events', { events: unknown }).on('x', (data) => expectTypeOf(data).toBeUnknown())
    createMockTransport(unknown).at('/events').emit('x', 1)
  })
})
