import { createServer } from 'node:http'
import { redisBroker } from '@sse/redis'
import { serverName } from '../../shared/servers.ts'
import { createApp } from '../app.ts'
import { createHub } from '../hub.ts'
import { connectRedis } from './redis-client.ts'
import { redisCommons } from './redis-commons.ts'

/** One of several servers: told by its environment who it is, it says on which port it listens. */
const name = serverName.parse(process.env.SERVER)
const redisUrl = process.env.REDIS_URL ?? ''

// Who keeps it running has died without a word: nobody else would end Redis, either.
process.once('disconnect', async () => {
  setTimeout(() => process.exit(1), 500)
  const client = await connectRedis(redisUrl)
  await client.sendCommand(['SHUTDOWN', 'NOSAVE']).catch(() => {})
})

const client = await connectRedis(redisUrl)
// Another server is up already, so readers need not wait for long.
const hub = createHub({ broker: redisBroker({ client }), retry: 500 })
const server = createServer(await createApp(hub, redisCommons(client, name), name))

process.once('SIGTERM', async () => {
  await hub.close({ within: 200 })
  process.exit(0)
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') process.send?.({ port: address?.port })
})
