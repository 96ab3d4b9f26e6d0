import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { type AnyEvents, defineEvents, payload, state, text } from '@sse/contract'
import { type Channel, type Hub, type Stream, sse } from '@sse/express'
import type { Response } from 'express'
import express from 'express'
import express4 from 'express-4'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const events = defineEvents({
  counter: state<{ value: number }>(),
  quote: state(z.object({ symbol: z.string(), price: z.number() }), (quote) => quote.symbol),
  notification: z.object({ title: z.string() }),
  ping: payload<null>(),
  done: text(),
})

declare const res: Response

describe('a hub with a contract', () => {
  const hub = sse({ events, history: { length: 1000, bytes: 1_000_000, age: 300_000 } })

  it('is a hub of that contract', () => {
    expectTypeOf(hub).toEqualTypeOf<Hub<typeof events>>()
    expectTypeOf(hub.stream(res)).toEqualTypeOf<Stream<typeof events>>()
    expectTypeOf(hub.channel('news')).toEqualTypeOf<Channel<typeof events>>()
  })

  it('takes on a stream the events of the contract, and no others', () => {
    const stream = hub.stream(res)
    expectTypeOf(stream.send('counter', { value: 1 })).toBeBoolean()
    stream.send('done', 'text')
    stream.send('ping', null)
    // @ts-expect-error no such event
    stream.send('countre', { value: 1 })
    // @ts-expect-error not its payload
    stream.send('counter', { value: '1' })
    // @ts-expect-error no payload at all
    stream.send('counter')
    // @ts-expect-error the event comes first
    stream.send({ value: 1 }, 'counter')
    // @ts-expect-error text is a string
    stream.send('done', 1)
    // @ts-expect-error reserved
    stream.send('sse.close', {})
    stream.sendAll('notification', [{ title: 'a' }])
    // @ts-expect-error not the items of this event
    stream.sendAll('notification', [{ titel: 'a' }])
  })

  it('takes on a channel the events of the contract, and no others', () => {
    const channel = hub.channel('news')
    expectTypeOf(channel.publish('notification', { title: 'Hello' })).toEqualTypeOf<Promise<string>>()
    // @ts-expect-error no such event
    channel.publish('headline', { title: 'Hello' })
    // @ts-expect-error not its payload
    channel.publish('notification', { text: 'Hello' })
    // @ts-expect-error JSON cannot carry it
    channel.publish('counter', { value: 1n })
    channel.publishAll('ping', [null])
    // @ts-expect-error not the items of this event
    channel.publishAll('ping', [1])
    channel.run(async function* () {
      yield { event: 'done', data: 'text' }
    })
    // @ts-expect-error not the payload of this event
    channel.run(async function* () {
      yield { event: 'done' as const, data: 1 }
    })
    // @ts-expect-error no such event
    channel.remove('quotes', 'A')
  })

  it('knows its listeners', () => {
    hub.on('connect', (stream) => expectTypeOf(stream).toEqualTypeOf<Stream<typeof events>>())
    hub.on('gap', (_, gap) => expectTypeOf(gap.channels).toEqualTypeOf<readonly string[]>())
    hub.on('error', (error) => expectTypeOf(error).toBeUnknown())
    // @ts-expect-error no such event
    hub.on('connected', () => {})
  })
})

describe('a hub of plain types', () => {
  interface AppEvents {
    headline: { title: string }
    tick: number
  }
  const hub = sse<AppEvents>()

  it('takes these events, and no others', () => {
    hub.channel('news').publish('headline', { title: 'Hello' })
    hub.stream(res).send('tick', 1)
    // @ts-expect-error no such event
    hub.channel('news').publish('headlines', { title: 'Hello' })
    // @ts-expect-error not its payload
    hub.stream(res).send('tick', '1')
  })
})

describe('a hub without types', () => {
  it('takes any name that is not reserved', () => {
    const hub = sse()
    expectTypeOf(hub).toEqualTypeOf<Hub<AnyEvents>>()
    hub.channel('news').publish('anything', { at: 'all' })
  })
})

describe('res.sse', () => {
  it('is there on every response of Express, with any events where no contract is registered', () => {
    expectTypeOf(res.sse).toEqualTypeOf<Stream<AnyEvents>>()
    expectTypeOf(res.sse.lastEventId).toEqualTypeOf<string | undefined>()
    expectTypeOf(res.sse.locals).toEqualTypeOf<Record<string, unknown>>()
    expectTypeOf(res.sse.signal).toEqualTypeOf<AbortSignal>()
    res.sse.join('news')
    res.sse.join(['news', 'sport'], { last: 10 })
    // @ts-expect-error a query may be an object
    res.sse.join({} as string | string[] | undefined | Record<string, string>)
  })
})

describe('a hub as middleware', () => {
  it('fits Express 4 and 5, node:http and HTTP/2', () => {
    const hub = sse({ events })
    express().use(hub)
    express().get('/events', hub, (_, response) => hub.stream(response).join('news'))
    express4().use(hub)
    createServer((request, response) => hub(request, response, () => hub.stream(response).send('ping', null)))
    createHttp2Server((request, response) =>
      hub(request, response, () => hub.stream(response).send('ping', null)),
    )
  })
})

describe('options', () => {
  it('are those there are', () => {
    sse({ history: false })
    sse({ history: (channel) => (channel.startsWith('typing:') ? false : { length: 10 }) })
    sse({ limits: { streams: 10 }, client: (request) => String(request.headers['x-user']) })
    // @ts-expect-error no such option
    sse({ keepAlive: 1_000 })
    // @ts-expect-error milliseconds
    sse({ heartbeat: '15s' })
    // @ts-expect-error no such limit
    sse({ limits: { stream: 10 } })
    // @ts-expect-error not a contract
    sse({ events: { counter: 1 } })
  })
})

describe('types without a contract', () => {
  const hub = sse({ events })

  it('are those of any hub', () => {
    expectTypeOf(hub).toExtend<Hub>()
    expectTypeOf(hub.stream(res)).toExtend<Stream>()
    expectTypeOf(res.sse).toExtend<Stream>()
    expectTypeOf(hub.channel('news')).toExtend<Channel>()
    const greet = (any: Hub) => any.channel('news').publish('greeting', 1)
    void greet(hub)
  })
})

describe('options', () => {
  const nothing: undefined = undefined

  it('may be undefined, which is as if they were left out', () => {
    sse({
      events: nothing,
      broker: nothing,
      heartbeat: nothing,
      history: { length: nothing },
      limits: { streams: nothing },
    })
    void res.sse.join('news', { last: nothing })
    void sse().close({ within: nothing })
    void sse().channel('news').publishAll('n', [1], { signal: nothing })
  })
})
