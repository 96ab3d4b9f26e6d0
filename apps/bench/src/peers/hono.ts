import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { listening, type StartPeer } from '../peer.ts'

/** Hono's `streamSSE` on Node: `writeSSE` for each reader. */
export const start: StartPeer = async () => {
  const streams = new Set<SSEStreamingApi>()
  const app = new Hono()
  app.get('/events', (context) =>
    streamSSE(context, async (stream) => {
      streams.add(stream)
      // The adapter sends the head with the first bytes.
      await stream.write(':\n\n')
      await new Promise<void>((resolve) => stream.onAbort(resolve))
      streams.delete(stream)
    }),
  )
  return {
    port: await listening(createServer(getRequestListener(app.fetch))),
    publish(payload) {
      const data = JSON.stringify(payload)
      for (const stream of streams) void stream.writeSSE({ event: 'news', data })
    },
  }
}
