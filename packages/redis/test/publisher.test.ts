import { type Client, missing, RedisServer } from '@sse/test-redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPublisher } from '../src/index.ts'
import { type Events, newsOf, Server, until } from './cluster.ts'

describe.skipIf(missing)('createPublisher', () => {
  let redis: RedisServer
  let client: Client
  let server: Server

  beforeAll(async () => {
    redis = await RedisServer.start()
    client = await redis.connect()
    server = await Server.start(redis)
  })
  afterAll(async () => {
    await server.stop()
    client.destroy()
    await redis.remove()
  })

  it('publishes to the readers of all servers, with one connection', async () => {
    const stream = await server.stream(['news'])
    const before = await connections()
    const publisher = createPublisher<Events>({ client })
    await publisher.channel('news').publish('news', 1)
    await publisher.channel('news').publishAll('news', [2, 3])
    await until(() => newsOf(stream).length === 3)
    expect(newsOf(stream)).toEqual([1, 2, 3])
    expect(await connections()).toBe(before)
    await publisher.close()
  })

  it('waits for what is under way when it is closed, and takes nothing more', async () => {
    const publisher = createPublisher<Events>({ client })
    let stored = ''
    publisher
      .channel('last')
      .publish('news', 1)
      .then((id) => {
        stored = id
      })
    await publisher.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(stored).toMatch(/^[a-z0-9]+-/)
    await expect(publisher.channel('last').publish('news', 2)).rejects.toMatchObject({
      code: 'ERR_SSE_BROKER',
    })
    expect(client.isReady).toBe(true)
  })

  const connections = async (): Promise<number> =>
    Number(/connected_clients:(\d+)/.exec(String(await redis.command('INFO', 'clients')))?.[1])
})
