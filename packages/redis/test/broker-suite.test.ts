import { brokerSuite } from '@sse/express/broker-suite'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { redisBroker } from '../src/index.ts'
import { type Client, missing, RedisServer } from './redis-server.ts'

describe.skipIf(missing)('redisBroker', () => {
  let server: RedisServer
  let client: Client
  let count = 0

  beforeAll(async () => {
    server = await RedisServer.start()
    client = await server.connect()
  })

  afterAll(async () => {
    client.destroy()
    await server.remove()
  })

  for (const { name, run } of brokerSuite) {
    it(name, () => run(() => redisBroker({ client, prefix: `suite-${++count}` })))
  }
})
