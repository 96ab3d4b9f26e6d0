import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { z } from 'zod'
import { counting, cut, notice } from '../shared/requests.ts'
import { visitor } from '../shared/visitor.ts'
import { exile, secondsLeft } from './exile.ts'
import { hub, mailbox, room } from './hub.ts'
import { visitorOf, watchPresence } from './presence.ts'

let count = 0

watchPresence()
void room.publish('counter', { value: count, by: null, at: Date.now() })

const refuse: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) next(error)
  else if (error instanceof z.ZodError) {
    response.status(400).json({ message: error.issues[0]?.message ?? 'This request cannot be understood.' })
  } else if (error instanceof SyntaxError) response.status(400).json({ message: 'The body is not JSON.' })
  else next(error)
}

/** What the page asks of the server; the page itself is served after it. */
export const app: Express = express()
  .disable('x-powered-by')
  .use(hub)
  .use(express.json({ limit: '4kb' }))

  .get('/events', async (request, response) => {
    // Names are claimed here, not proven. With accounts, this is the place that checks them.
    const { id, name } = visitor.parse(request.query)
    const seconds = id === undefined ? 0 : secondsLeft(id)
    if (seconds > 0) {
      response.set('Retry-After', String(seconds)).status(503).json({ message: 'You were cut off.' })
      return
    }
    const stream = hub.stream(response)
    Object.assign(stream.locals, { id, name })
    await stream.join(name === undefined ? 'room' : ['room', mailbox(name)], { last: 12 })
  })

  .post('/counter', async (request, response) => {
    const { by, from } = counting.parse(request.body)
    count += by
    await room.publish('counter', { value: count, by: from, at: Date.now() })
    response.sendStatus(202)
  })

  .post('/notifications', async (request, response) => {
    const { from, to, text } = notice.parse(request.body)
    const channel = to === null ? room : hub.channel(mailbox(to))
    await channel.publish('notification', { id: randomUUID(), from, to, text, at: Date.now() })
    response.sendStatus(202)
  })

  .post('/cut', (request, response) => {
    const { id, seconds } = cut.parse(request.body)
    const streams = [...hub.streams].filter((stream) => visitorOf(stream).id === id)
    exile(id, seconds)
    response.sendStatus(202)
    for (const stream of streams) stream.disconnect()
  })

  .use(refuse)
