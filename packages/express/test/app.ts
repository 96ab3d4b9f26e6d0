import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { AnyEvents } from '@sse/contract'
import { type Hub, type SseOptions, sse } from '@sse/express'
import { stopServing } from '@sse/express/testing'
import express, { type Express, type Request } from 'express'
import { onTestFinished } from 'vitest'

export interface TestApp<E> {
  readonly app: Express
  readonly hub: Hub<E>
  /** What the hub's `'error'` has heard. */
  readonly errors: readonly unknown[]
}

/** An app with a hub and a stream at `/events?channels=a,b&last=n`. It stops with the test that made it. */
export function eventsApp(options: SseOptions<AnyEvents> = {}): TestApp<AnyEvents> {
  const made = bareApp(options)
  made.app.get('/events', (req, res) => res.sse.join(channelsOf(req), { last: lastOf(req) }))
  return made
}

/** The same without a route. */
export function bareApp<E = AnyEvents>(options: SseOptions<E> = {}): TestApp<E> {
  const hub = sse<E>(options)
  const errors: unknown[] = []
  hub.on('error', (error) => errors.push(error))
  const app = express()
  app.use(hub)
  hub(...anyRequest(), () => {}) // else its first publish warns that it was never mounted
  onTestFinished(async () => {
    await stopServing(app)
    await hub.close()
  })
  return { app, hub, errors }
}

function anyRequest(): [IncomingMessage, ServerResponse] {
  const request = new IncomingMessage(new Socket())
  return [request, new ServerResponse(request)]
}

export const channelsOf = (req: Request): string[] => String(req.query.channels ?? 'news').split(',')

const lastOf = (req: Request): number => Number(req.query.last ?? 0)
