import type { AnyEvents } from '@sse/contract'
import { type Hub, type SseOptions, sse } from '@sse/express'
import { stopServing } from '@sse/express/testing'
import express, { type Express, type Request } from 'express'
import { onTestFinished } from 'vitest'

export interface TestApp {
  readonly app: Express
  readonly hub: Hub<AnyEvents>
  /** What the hub's `'error'` has heard. */
  readonly errors: readonly unknown[]
}

/** An app with a hub and a stream at `/events?channels=a,b&last=n`. It stops with the test that made it. */
export function eventsApp(options: SseOptions<AnyEvents> = {}): TestApp {
  const made = bareApp(options)
  made.app.get('/events', (req, res) => res.sse.join(channelsOf(req), { last: lastOf(req) }))
  return made
}

/** The same without a route. */
export function bareApp(options: SseOptions<AnyEvents> = {}): TestApp {
  const hub = sse<AnyEvents>(options)
  const errors: unknown[] = []
  hub.on('error', (error) => errors.push(error))
  const app = express()
  app.use(hub)
  onTestFinished(async () => {
    await stopServing(app)
    await hub.close()
  })
  return { app, hub, errors }
}

export const channelsOf = (req: Request): string[] => String(req.query.channels ?? 'news').split(',')

const lastOf = (req: Request): number => Number(req.query.last ?? 0)
