import { randomUUID } from 'node:crypto'
import express, { type Express } from 'express'
import { counting, cut, notice } from '../shared/requests.ts'
import type { ServerName } from '../shared/servers.ts'
import { visitor } from '../shared/visitor.ts'
import { announce } from './announce.ts'
import type { Commons, Counter } from './commons.ts'
import { CLUSTER, type DemoHub, mailbox, pageOf, ROOM } from './hub.ts'
import { watchPresence } from './presence.ts'
import { refuse } from './refusal.ts'

/** The paths of {@link createApp}; all others are the page's. */
export const paths = ['/events', '/counter', '/notifications', '/cut']

/**
 * What the page asks of a server; the page itself is served after it.
 *
 * @param server - its name, where there are several
 */
export async function createApp(hub: DemoHub, commons: Commons, server?: ServerName): Promise<Express> {
  const room = hub.channel(ROOM)
  const announceCounter = (counter: Counter) =>
    announce(counter, commons.counter, (now) => room.publish('counter', { ...now, at: Date.now() }))

  const counter = await commons.counter()
  if (counter.by === null) await announceCounter(counter)
  watchPresence(hub, commons)

  return express()
    .disable('x-powered-by')
    .use(hub)
    .use(express.json({ limit: '4kb' }))

    .get('/events', async (request, response) => {
      // Names are claimed here, not proven. With accounts, this is the place that checks them.
      const { id, name } = visitor.parse(request.query)
      const seconds = id === undefined ? 0 : await commons.secondsLeft(id)
      if (seconds > 0) {
        response.set('Retry-After', String(seconds)).status(503).json({ message: 'You were cut off.' })
        return
      }
      const stream = hub.stream(response)
      Object.assign(stream.locals, { id, name })
      const channels = [ROOM]
      if (id !== undefined) channels.push(pageOf(id))
      if (name !== undefined) channels.push(mailbox(name))
      if (server !== undefined) channels.push(CLUSTER)
      await stream.join(channels, { last: 12 })
      if (server !== undefined) stream.send('server', { name: server, at: Date.now() })
    })

    .post('/counter', async (request, response) => {
      const { by, from } = counting.parse(request.body)
      await announceCounter(await commons.count(by, from))
      response.sendStatus(202)
    })

    .post('/notifications', async (request, response) => {
      const { from, to, text } = notice.parse(request.body)
      const channel = to === null ? room : hub.channel(mailbox(to))
      await channel.publish('notification', { id: randomUUID(), from, to, text, at: Date.now() })
      response.sendStatus(202)
    })

    .post('/cut', async (request, response) => {
      const { id, seconds } = cut.parse(request.body)
      await commons.exile(id, seconds)
      response.sendStatus(202)
      hub.channel(pageOf(id)).disconnect()
    })

    .use(refuse)
}
