import { describe, expectTypeOf, it } from 'vitest'
import {
  type ConnectionError,
  createEventSource,
  type EventSourceView,
  type TypedEventSource,
  useCountdown,
  useEventReducer,
  useEventSource,
  useLatest,
} from '../src/index.ts'
import { type Events, events, type Notice, type Quote } from './contract.ts'

const live = createEventSource('/events', { events })

interface PlainEvents {
  greeting: { name: string }
}

describe('useEventSource', () => {
  it('narrows what was destructured by status', () => {
    const { status, retryAt, error, attempt, since, reason } = useEventSource(live)
    if (status === 'retrying') {
      expectTypeOf(retryAt).toEqualTypeOf<number>()
      expectTypeOf(error).toEqualTypeOf<ConnectionError>()
      expectTypeOf(attempt).toEqualTypeOf<number>()
    }
    if (status === 'open') {
      expectTypeOf(since).toEqualTypeOf<number>()
      expectTypeOf(error).toEqualTypeOf<undefined>()
    }
    if (status === 'closed') expectTypeOf(reason).toEqualTypeOf<string>()
  })

  it('knows the newest payloads, and keyed state as a record', () => {
    const { latest } = useEventSource(live)
    expectTypeOf(latest.counter).toEqualTypeOf<{ value: number } | undefined>()
    expectTypeOf(latest.quote).toEqualTypeOf<Readonly<Record<string, Quote>> | undefined>()
    // @ts-expect-error no such event
    latest.nothing
  })

  it('infers handlers from the source, and from the contract of a url', () => {
    useEventSource(live, {
      on: {
        notification(notice, meta) {
          expectTypeOf(notice).toEqualTypeOf<Notice>()
          expectTypeOf(meta.event).toEqualTypeOf<'notification'>()
        },
      },
    })
    const { latest } = useEventSource('/events', {
      events,
      on: { counter: (counter) => expectTypeOf(counter).toEqualTypeOf<{ value: number }>() },
    })
    expectTypeOf(latest.counter).toEqualTypeOf<{ value: number } | undefined>()
  })

  it('takes plain types', () => {
    const { latest } = useEventSource<PlainEvents>('/events', {
      on: { greeting: ({ name }) => expectTypeOf(name).toEqualTypeOf<string>() },
    })
    expectTypeOf(latest.greeting).toEqualTypeOf<{ name: string } | undefined>()
    // @ts-expect-error no such event
    useEventSource<PlainEvents>('/events', { on: { goodbye: () => {} } })
  })

  it('takes any event without a contract, its payload unknown', () => {
    useEventSource('/events', { on: { anything: (data) => expectTypeOf(data).toEqualTypeOf<unknown>() } })
  })

  it('takes the payloads that the page was rendered with', () => {
    useEventSource('/events', { events, cursor: 'k-1', initial: { counter: { value: 1 } } })
    // @ts-expect-error the value is a number
    useEventSource('/events', { events, initial: { counter: { value: 'one' } } })
  })

  it('takes null for none', () => {
    expectTypeOf(useEventSource<Events>(null).latest.counter).toEqualTypeOf<{ value: number } | undefined>()
  })

  it('refuses a name or payload that the contract does not have', () => {
    // @ts-expect-error no such event
    useEventSource(live, { on: { nothing: () => {} } })
    // @ts-expect-error no such event
    useEventSource('/events', { events, on: { nothing: () => {} } })
    // @ts-expect-error the payload is a notice
    useEventSource(live, { on: { notification: (_: { other: number }) => {} } })
    // @ts-expect-error the library's own
    useEventSource(live, { on: { open: () => {} } })
  })
})

describe('useLatest', () => {
  it('knows the payload, or what was selected', () => {
    expectTypeOf(useLatest(live, 'counter')).toEqualTypeOf<{ value: number } | undefined>()
    expectTypeOf(useLatest(live, 'quote')).toEqualTypeOf<Readonly<Record<string, Quote>> | undefined>()
    expectTypeOf(useLatest(live, 'quote', (quotes) => quotes?.AAPL?.price)).toEqualTypeOf<
      number | undefined
    >()
  })

  it('refuses a name that the contract does not have', () => {
    // @ts-expect-error no such event
    useLatest(live, 'nothing')
    // @ts-expect-error no such property
    useLatest(live, 'counter', (counter) => counter?.other)
  })
})

describe('useEventReducer', () => {
  it('infers the state from the initial one, and payloads from the source', () => {
    const notices = useEventReducer(live, {
      initial: [] as Notice[],
      reduce: { notification: (list, notice) => [notice, ...list].slice(0, 50) },
    })
    expectTypeOf(notices).toEqualTypeOf<Notice[]>()
    const sum = useEventReducer('/events', {
      events,
      initial: 0,
      reduce: { counter: (total, { value }) => total + value },
      onGap: (total, { reason }) => (reason === 'epoch' ? 0 : total),
    })
    expectTypeOf(sum).toEqualTypeOf<number>()
  })

  it('refuses a name or payload that the contract does not have, and another state', () => {
    // @ts-expect-error no such event
    useEventReducer(live, { initial: 0, reduce: { nothing: (sum: number) => sum } })
    // @ts-expect-error no such property
    useEventReducer(live, { initial: 0, reduce: { counter: (sum, counter) => sum + counter.other } })
    // @ts-expect-error the state is a list
    useEventReducer(live, { initial: [] as Notice[], reduce: { notification: () => 'one' } })
  })
})

describe('useCountdown', () => {
  it('takes the retryAt of any state', () => {
    const { retryAt } = useEventSource(live)
    expectTypeOf(useCountdown(retryAt)).toEqualTypeOf<number>()
  })
})

function Badge({ source }: { readonly source: TypedEventSource }) {
  return <p>{useEventSource(source).status}</p>
}

describe('a component for any source', () => {
  it('takes a typed one', () => {
    expectTypeOf(<Badge source={live} />).toBeObject()
    expectTypeOf(useEventSource(live)).toExtend<EventSourceView>()
  })
})

describe('handlers', () => {
  it('may be undefined, as optional props are', () => {
    const onNotice: ((notice: Notice) => void) | undefined = undefined
    useEventSource(live, { on: { notification: onNotice }, onError: undefined })
    useEventReducer(live, { initial: 0, reduce: { notification: undefined } })
    useEventSource('/events', { events, initial: { counter: undefined } })
  })
})
