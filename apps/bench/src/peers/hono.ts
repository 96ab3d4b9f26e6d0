import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import type { StartPeer } from '../peer.ts'

/** Hono's `streamSSE` on Node: `writeSSE` for each reader. */
export const start: StartPeer = async () => {
  const streams = new Set<SSEStreamingApi>()
  const app = new Hono()
  app.get('/events', (context) =>
    streamSSE(context, async (stream) => {
      streams.add(stream)
      await new Promise<void>((resolve) => stream.onAbort(resolve))
      streams.delete(stream)
    }),
  )
  const port = await new Promise<number>((resolve) => {
    serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port))
  })
  return {
    port,
    publish(payload) {
      const data = JSON.stringify(payload)
      for (const stream of streams) void stream.writeSSE({ event: 'news', data })
    },
  }
}
