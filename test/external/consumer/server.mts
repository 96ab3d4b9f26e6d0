import { createEventSource } from '@sse/client'
import { sse } from '@sse/express'
import express from 'express'
import { events } from './events.mjs'

const hub = sse({ events })
const app = express()
app.use(hub)
app.get('/events', async (_req, res) => {
  await res.sse.join('news')
})
await hub.channel('news').publish('headline', { title: 'Hello' })
// @ts-expect-error a payload of another shape
await hub.channel('news').publish('headline', { title: 1 })
// @ts-expect-error an event that nobody defined
await hub.channel('news').publish('headlines', { title: 'Hello' })

const live = createEventSource('/events', { events })
live.on('headline', (data) => data.title.toUpperCase())
// @ts-expect-error an event that nobody defined
live.on('headlines', () => {})
