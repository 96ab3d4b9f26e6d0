import { missing, RedisServer } from '@sse/test-redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { newsOf, Server, type ServerOptions, until } from './cluster.ts'
import { Reader, ServerProcess } from './fleet.ts'

describe.skipIf(missing)('servers of one hub', { timeout: 60_000 }, () => {
  let redis: RedisServer
  let prefix = ''
  let count = 0
  const cleanup: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(() => redis.remove())
  beforeEach(() => {
    prefix = `peers-${++count}`
  })
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean()
  })

  async function start(options: ServerOptions = {}, on = redis): Promise<Server> {
    const server = await Server.start(on, { prefix, ...options })
    cleanup.push(() => server.stop())
    return server
  }
  const startThree = (): Promise<Server[]> => Promise.all([start(), start(), start()])
  const sizes = (servers: readonly Server[], channel = 'news'): number[] =>
    servers.map(({ hub }) => hub.channel(channel).size)

  it('disconnect a channel’s readers on all of them; these come back with their cursors', async () => {
    const servers = await startThree()
    const streams = await Promise.all(servers.map((server) => server.stream(['news', 'more'])))
    const bystander = await servers[1]?.stream(['other'])
    for (const stream of streams) await stream.next('sse.live')
    servers[0]?.hub.channel('news').disconnect()
    for (const stream of streams) await stream.ended
    expect(streams.map(({ raw }) => raw.includes('sse.close'))).toEqual([false, false, false])
    await servers[2]?.publish('news', 1)
    for (const [index, { lastEventId }] of streams.entries()) {
      const again = await servers[(index + 1) % 3]?.stream(['news', 'more'], lastEventId)
      expect((await again?.next('sse.open'))?.json).toMatchObject({ resumed: true })
      expect((await again?.next('news'))?.json).toBe(1)
      expect(again?.raw).not.toContain('sse.gap')
    }
    await servers[0]?.publish('other', 2)
    expect((await bystander?.next('news'))?.json).toBe(2)
  })

  it('disconnect from a server that has no readers itself', async () => {
    const [near, far] = [await start(), await start()]
    const stream = await far.stream(['news'])
    near.hub.channel('news').disconnect()
    await stream.ended
  })

  it('tell the hub when the others cannot be told in time; its own readers are disconnected', async () => {
    const away = await RedisServer.start()
    cleanup.push(() => away.remove())
    const server = await start({ publishTimeout: 200 }, away)
    const stream = await server.stream(['news'])
    await stream.next('sse.live')
    away.pause()
    server.hub.channel('news').disconnect()
    await stream.ended
    await vi.waitFor(() => expect(server.errors).toMatchObject([{ code: 'ERR_SSE_BROKER', status: 503 }]))
    away.resume()
  })

  it('end a channel for the readers of all of them', async () => {
    const servers = await startThree()
    const streams = await Promise.all(servers.map((server) => server.stream(['news'])))
    for (const stream of streams) await stream.next('sse.live')
    void servers[0]?.publish('news', 1)
    await servers[0]?.hub.channel('news').end('complete')
    for (const stream of streams) {
      expect((await stream.next('sse.close')).json).toEqual({ reason: 'complete' })
      await stream.ended
      expect(newsOf(stream)).toEqual([1])
    }
  })

  it('count the readers of all of them', async () => {
    const servers = await startThree()
    for (const [index, server] of servers.entries()) {
      for (let n = 0; n <= index; n++) await server.stream(['news'])
    }
    await until(() => sizes(servers).every((size) => size === 6))
    const more = await servers[0]?.stream(['news'])
    await until(() => sizes(servers).every((size) => size === 7))
    await more?.drop()
    await until(() => sizes(servers).every((size) => size === 6))
    expect(sizes(servers, 'nobody')).toEqual([0, 0, 0])
  })

  it('count from a server that has no readers itself', async () => {
    const [near, far] = [await start(), await start()]
    await far.stream(['news'])
    await until(() => near.hub.channel('news').size === 1)
  })

  it('no longer count those of a server that was killed', async () => {
    prefix = 'sse'
    const server = await start()
    const doomed = await ServerProcess.start(redis.port)
    cleanup.push(() => doomed.kill())
    const readers = [1, 2].map(() => new Reader(['news'], () => doomed.origin))
    cleanup.push(() => Promise.all(readers.map((reader) => reader.stop())))
    await server.stream(['news'])
    await until(() => server.hub.channel('news').size === 3)
    await doomed.kill()
    await until(() => server.hub.channel('news').size === 1)
  })

  it('no longer count those of a server that has closed, from then on', async () => {
    const [near, far] = [await start({ beacon: 2_000 }), await start({ beacon: 2_000 })]
    await far.stream(['news'])
    await until(() => near.hub.channel('news').size === 1)
    await far.hub.close()
    // Sooner than the silence of the other could tell.
    await until(() => near.hub.channel('news').size === 0)
  })

  it('say nothing of their readers where nobody asks', async () => {
    const servers = await Promise.all([start({ beacon: 10 }), start({ beacon: 10 })])
    const stream = await servers[0]?.stream(['news'])
    const listener = await redis.connect()
    cleanup.push(async () => listener.destroy())
    const heard: string[] = []
    let beacons = 0
    await listener.subscribe(`{${prefix}}:peers:`, (text) => heard.push(text))
    await listener.subscribe(`{${prefix}}:beacon:all`, () => {
      beacons += 1
    })
    await stream?.drop()
    await servers[1]?.stream(['news'])
    await until(() => beacons >= 20)
    expect(heard).toEqual([])
    expect(servers[0]?.hub.channel('news').size).toBe(0)
    await until(() => heard.length > 0)
  })
})
