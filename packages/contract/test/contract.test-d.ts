import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  type AnyEvents,
  type Contract,
  defineEvents,
  type EventInput,
  type EventName,
  type EventPayload,
  type KeyedName,
  type Latest,
  payload,
  state,
  text,
} from '../src/index.ts'

interface Quote {
  symbol: string
  price: number
}
const events = defineEvents({
  counter: state<{ value: number }>(),
  quote: state(z.object({ symbol: z.string(), price: z.number() }), (q) => q.symbol),
  rate: state<Quote>((q) => q.symbol),
  notification: z.object({ title: z.string(), level: z.string().default('info') }),
  ping: payload<null>(),
  done: text(),
})
type E = typeof events

describe('a contract', () => {
  it('derives names and payloads', () => {
    expectTypeOf<EventName<E>>().toEqualTypeOf<
      'counter' | 'quote' | 'rate' | 'notification' | 'ping' | 'done'
    >()
    expectTypeOf<EventInput<E, 'counter'>>().toEqualTypeOf<{ value: number }>()
    expectTypeOf<EventInput<E, 'notification'>>().toEqualTypeOf<{
      title: string
      level?: string | undefined
    }>()
    expectTypeOf<EventPayload<E, 'notification'>>().toEqualTypeOf<{ title: string; level: string }>()
    expectTypeOf<EventPayload<E, 'quote'>>().toEqualTypeOf<{ symbol: string; price: number }>()
    expectTypeOf<EventPayload<E, 'ping'>>().toEqualTypeOf<null>()
    expectTypeOf<EventPayload<E, 'done'>>().toEqualTypeOf<string>()
  })
  it('has the newest payload by name, and by key for keyed state', () => {
    expectTypeOf<NonNullable<Latest<E>['counter']>>().toEqualTypeOf<{ value: number }>()
    expectTypeOf<NonNullable<Latest<E>['quote']>>().toEqualTypeOf<Readonly<Record<string, Quote>>>()
    expectTypeOf<NonNullable<Latest<E>['rate']>>().toEqualTypeOf<Readonly<Record<string, Quote>>>()
  })
  it('works from a plain type', () => {
    interface App {
      counter: { value: number }
      error: string
    }
    expectTypeOf<EventName<App>>().toEqualTypeOf<'counter'>()
    expectTypeOf<EventInput<App, 'counter'>>().toEqualTypeOf<{ value: number }>()
    expectTypeOf<Latest<App>['counter']>().toEqualTypeOf<{ value: number } | undefined>()
  })
  it('is a Contract', () => {
    expectTypeOf(events).toExtend<Contract>()
  })
  it('has the key only where one is given', () => {
    expectTypeOf<KeyedName<E>>().toEqualTypeOf<'quote' | 'rate'>()
    expectTypeOf<KeyedName<{ counter: number }>>().toEqualTypeOf<never>()
  })
  it('takes any name and payload where nothing is known', () => {
    expectTypeOf<EventName<AnyEvents>>().toEqualTypeOf<string>()
    expectTypeOf<EventInput<AnyEvents, 'x'>>().toEqualTypeOf<unknown>()
    expectTypeOf<EventPayload<AnyEvents, 'x'>>().toEqualTypeOf<unknown>()
  })
  it('takes optional properties, tuples and unions', () => {
    defineEvents({ a: payload<{ a?: string; b: readonly [number, 'x'] | null }>(), b: payload<Quote[]>() })
  })
})

describe('a contract refuses', () => {
  it('what JSON cannot carry', () => {
    // @ts-expect-error a Date arrives as a string
    payload<Date>()
    // @ts-expect-error at any depth
    payload<{ at: { when: Date }[] }>()
    // @ts-expect-error a Map arrives as {}
    payload<Map<string, number>>()
    // @ts-expect-error a Set arrives as {}
    state<{ tags: Set<string> }>()
    // @ts-expect-error JSON.stringify throws on a bigint
    payload<{ id: bigint }>()
    // @ts-expect-error undefined has no JSON
    payload<undefined>()
    // @ts-expect-error functions are dropped
    payload<{ run(): void }>()
    // @ts-expect-error undefined arrives as null
    payload<(string | undefined)[]>()
    // @ts-expect-error bytes arrive as an object of numbers
    payload<Uint8Array>()
    // @ts-expect-error a member of a union
    payload<string | Date>()
  })
  it('the same of keyed state', () => {
    // @ts-expect-error a Date arrives as a string
    state<{ symbol: string; when: Date }>((quote) => quote.symbol)
    // @ts-expect-error likewise, where the type is the key function's
    state((quote: { symbol: string; when: Date }) => quote.symbol)
  })
  it('schemas whose output JSON cannot carry', () => {
    // @ts-expect-error the output is a Date
    defineEvents({ at: z.date() })
    // @ts-expect-error the output has a bigint
    defineEvents({ n: z.object({ n: z.bigint() }) })
    // @ts-expect-error the output is a Date
    state(z.date())
  })
  it('schemas whose output is no input again', () => {
    // @ts-expect-error the receiver would check a number as a string
    defineEvents({ n: z.string().transform(Number) })
    // @ts-expect-error likewise
    state(z.string().transform(Number))
  })
  it('reserved names', () => {
    // @ts-expect-error control events
    defineEvents({ 'sse.open': payload<null>() })
    // @ts-expect-error EventSource's own
    defineEvents({ open: payload<null>() })
    // @ts-expect-error EventSource's own
    defineEvents({ error: payload<null>() })
    // @ts-expect-error every event
    defineEvents({ '*': payload<null>() })
  })
  it('names and payloads that are not in it', () => {
    const send = <N extends EventName<E>>(_event: N, _data: EventInput<E, N>): void => {}
    send('counter', { value: 1 })
    send('done', 'a')
    send('ping', null)
    // @ts-expect-error a typing mistake
    send('countr', { value: 1 })
    // @ts-expect-error the wrong type
    send('counter', { value: '1' })
    // @ts-expect-error what is missing
    send('counter', {})
    // @ts-expect-error JSON for a text event
    send('done', { reason: 'a' })
    // @ts-expect-error nothing instead of null
    send('ping', undefined)
    // @ts-expect-error a property that a schema does not name
    send('notification', { title: 'a', password: 'b' })
    // @ts-expect-error the event comes first
    send({ value: 1 }, 'counter')
  })
  it('payloads of a plain type that JSON cannot carry', () => {
    interface App {
      at: Date
      nested: { ids: Set<string> }
      id: bigint
      'sse.open': string
      open: string
    }
    expectTypeOf<EventName<App>>().toEqualTypeOf<'at' | 'nested' | 'id'>()
    expectTypeOf<EventInput<App, 'at'>>().toEqualTypeOf<never>()
    expectTypeOf<EventInput<App, 'id'>>().toEqualTypeOf<never>()
    expectTypeOf<EventInput<App, 'nested'>>().toEqualTypeOf<{ ids: never }>()
  })
  it('definitions that are none', () => {
    // @ts-expect-error not called
    expectTypeOf(() => defineEvents({ ping: payload })).toBeFunction()
    // @ts-expect-error a type is no value
    expectTypeOf(() => defineEvents({ ping: null })).toBeFunction()
  })
  it('a key that is no string', () => {
    // @ts-expect-error a number
    state<Quote>((q) => q.price)
    // @ts-expect-error a number
    state(z.object({ id: z.number() }), (q) => q.id)
  })
  it('nothing, which has no JSON', () => {
    // @ts-expect-error nothing
    payload<void>()
    // @ts-expect-error nothing
    state<void>()
    // @ts-expect-error nothing
    defineEvents({ ping: z.void() })
  })
  it('errors, which arrive as {}', () => {
    // @ts-expect-error an error
    payload<Error>()
    // @ts-expect-error one within
    payload<{ cause: TypeError | null }>()
  })
})

describe('a contract takes', () => {
  type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
  interface Comment {
    readonly body: string
    readonly replies: readonly Comment[]
  }
  /** As Prisma has it. */
  interface StoredArray extends Array<Stored> {}
  type Stored = string | number | boolean | { [N in string]?: Stored } | StoredArray | null

  it('what looks like an error but for its stack', () => {
    expectTypeOf(payload<{ name: string; message: string }>()).toExtend<object>()
    state<{ name: string; message: string }>((message) => message.name)
    defineEvents({ chat: z.object({ name: z.string(), message: z.string() }) })
  })
  it('types that contain themselves', () => {
    payload<Json>()
    payload<{ meta: Stored; any?: Json }>()
    payload<Comment>()
    defineEvents({ any: z.json() })
  })
  it('the definitions of other contracts, with all that is known of them', () => {
    const chat = defineEvents({
      message: payload<{ body: string }>(),
      typing: state<{ who: string }>((typing) => typing.who),
    })
    const billing = defineEvents({
      invoice: z.object({ total: z.number(), currency: z.string().default('EUR') }),
    })
    const all = defineEvents({ ...chat.definitions, ...billing.definitions, done: text() })
    type All = typeof all
    expectTypeOf(all).toExtend<Contract>()
    expectTypeOf<EventName<All>>().toEqualTypeOf<'message' | 'typing' | 'invoice' | 'done'>()
    expectTypeOf<EventPayload<All, 'message'>>().toEqualTypeOf<{ body: string }>()
    expectTypeOf<EventPayload<All, 'invoice'>>().toEqualTypeOf<{ total: number; currency: string }>()
    expectTypeOf<EventInput<All, 'invoice'>>().toEqualTypeOf<{
      total: number
      currency?: string | undefined
    }>()
    expectTypeOf<KeyedName<All>>().toEqualTypeOf<'typing'>()
  })
})
