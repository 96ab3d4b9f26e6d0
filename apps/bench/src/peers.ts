import type { StartPeer } from './peer.ts'

/** Every peer, by its name in the results. */
export const PEERS: Readonly<Record<string, () => Promise<{ readonly start: StartPeer }>>> = {
  net: () => import('./peers/net.ts'),
  http: () => import('./peers/http.ts'),
  tutorial: () => import('./peers/tutorial.ts'),
  'better-sse': () => import('./peers/better-sse.ts'),
  'better-sse-batch': () => import('./peers/better-sse-batch.ts'),
  'express-sse': () => import('./peers/express-sse.ts'),
  fastify: () => import('./peers/fastify.ts'),
  hono: () => import('./peers/hono.ts'),
  nchan: () => import('./peers/nchan.ts'),
  sse: () => import('./peers/sse.ts'),
  pubsub: () => import('./peers/pubsub.ts'),
  'socket-io': () => import('./peers/socket-io.ts'),
  'sse-redis': () => import('./peers/sse-redis.ts'),
  ws: () => import('./peers/ws.ts'),
  polling: () => import('./peers/polling.ts'),
}
