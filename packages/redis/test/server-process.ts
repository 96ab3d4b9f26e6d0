import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sse } from '@sse/express'
import { createClient } from 'redis'
import { redisBroker } from '../src/index.ts'

/**
 * A server of a hub as a process of its own: streams at `/?channel=…`, publishes at `/publish?channel=…&value=…`. Its
 * argument is the port of Redis; it says its origin when it is ready.
 */
const redisPort = process.argv[2]

const client = await createClient({
  url: `redis://127.0.0.1:${redisPort}`,
  socket: { reconnectStrategy: 50 },
})
  .on('error', () => {})
  .connect()
const hub = sse({
  broker: redisBroker({ client, beacon: 100, publishTimeout: 3_000 }),
  history: { length: 100_000, bytes: 100_000_000 },
  heartbeat: 500,
  retry: 50,
})
hub.on('error', () => {})

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://server')
  const channels = url.searchParams.getAll('channel')
  if (url.pathname === '/publish') {
    hub
      .channel(channels[0] ?? '')
      .publish('news', Number(url.searchParams.get('value')))
      .then(
        (id) => response.end(id),
        () => response.writeHead(503).end(),
      )
  } else {
    hub.stream(response).join(channels, { last: Number(url.searchParams.get('last') ?? 0) })
  }
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`http://127.0.0.1:${port}\n`)
})
