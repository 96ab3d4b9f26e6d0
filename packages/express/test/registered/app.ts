import { defineEvents, state } from '@sse/contract'
import { sse } from '@sse/express'
import express from 'express'

const events = defineEvents({ counter: state<{ value: number }>() })

declare module '@sse/express' {
  interface Register {
    events: typeof events
  }
}

const hub = sse({ events })

export const app = express()
  .use(hub)
  .get('/events', async (_, res) => {
    await res.sse.join('counter')
    res.sse.send('counter', { value: 1 })
    // @ts-expect-error no such event
    res.sse.send('countre', { value: 1 })
    // @ts-expect-error not its payload
    res.sse.send('counter', { value: '1' })
    await res.sse.hub.channel('counter').publish('counter', { value: 2 })
    // @ts-expect-error not its payload
    await res.sse.hub.channel('counter').publish('counter', { value: null })
  })
