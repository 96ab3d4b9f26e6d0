import { createServer } from 'node:http'
import { sse } from '@sse/express'
import { createClient } from 'redis'
import { redisBroker } from '../src/index.ts'

/**
 * A server of a hub as a process of its own: streams at `/?channel=…`, publishes at `/publish?channel=…&value=…`.
 * Arguments: its port, and that of Redis.
 */
const [port, redisPort] = process.argv.slice(2).map(Number)

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

createServer((request, response) => {
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
}).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'))
