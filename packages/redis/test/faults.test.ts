import { once } from 'node:events'
import { copyFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { TestStream } from '@sse/express/testing'
import { missing, RedisServer } from '@sse/test-redis'
import { createClient } from 'redis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type RedisClient, redisBroker } from '../src/index.ts'
import { kindsOf, newsOf, Server, type ServerOptions, until } from './cluster.ts'
import { Interposer } from './interposer.ts'

const RETENTION = { length: 10, bytes: 10_000, age: 60_000 }
const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']

describe.skipIf(missing)('when Redis fails', { timeout: 60_000 }, () => {
  const cleanup: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean()
  })

  async function startRedis(...args: readonly string[]): Promise<RedisServer> {
    const redis = await RedisServer.start(...args)
    cleanup.push(() => redis.remove())
    return redis
  }

  async function start(redis: RedisServer, options: ServerOptions = {}): Promise<Server> {
    const server = await Server.start(redis, { publishTimeout: 5_000, ...options })
    cleanup.push(() => server.stop())
    return server
  }

  /** Two servers with a stream each, which have had the news 1. */
  async function startTwo(redis: RedisServer): Promise<{ servers: Server[]; streams: TestStream[] }> {
    const servers = [await start(redis), await start(redis)]
    const streams = await Promise.all(servers.map((server) => server.stream(['news', 'quiet'])))
    for (const stream of streams) await stream.next('sse.live')
    await servers[0]?.publish('news', 1)
    for (const stream of streams) await stream.next('news')
    return { servers, streams }
  }

  const gap = { channels: ['news', 'quiet'], reason: 'epoch' }

  it('it is killed and comes back empty: readers are told once, and go on', async () => {
    const redis = await startRedis()
    const { servers, streams } = await startTwo(redis)
    await redis.kill()
    await redis.start()
    await servers[1]?.publish('news', 2)
    for (const stream of streams) {
      expect((await stream.next('sse.gap')).json).toEqual(gap)
      expect((await stream.next('news')).json).toBe(2)
      expect(kindsOf(stream)).toEqual(['news', 'sse.gap', 'news'])
    }
    const back = await servers[0]?.stream(['news'], streams[1]?.all()[2]?.id)
    expect((await back?.next('sse.gap'))?.json).toEqual({ channels: ['news'], reason: 'epoch' })
  })

  it('it is flushed while nobody publishes: readers are told', async () => {
    const redis = await startRedis()
    const { servers, streams } = await startTwo(redis)
    await redis.command('FLUSHALL')
    for (const stream of streams) expect((await stream.next('sse.gap')).json).toEqual(gap)
    await servers[0]?.publish('news', 2)
    for (const stream of streams) {
      expect((await stream.next('news')).json).toBe(2)
      expect(kindsOf(stream)).toEqual(['news', 'sse.gap', 'news'])
    }
  })

  it('it is restarted with its append-only file: nothing is lost, nobody is told', async () => {
    const redis = await startRedis(...AOF)
    const { servers, streams } = await startTwo(redis)
    const left = streams[0]?.lastEventId
    await redis.kill()
    const published = [servers[0]?.publish('news', 2), servers[1]?.publish('news', 3)]
    await redis.start()
    await Promise.all(published)
    const since = await servers[0]?.publish('news', 4)
    for (const stream of streams) {
      await until(() => newsOf(stream).length === 4)
      expect(newsOf(stream).toSorted()).toEqual([1, 2, 3, 4])
      expect(kindsOf(stream)).not.toContain('sse.gap')
    }
    const back = await servers[1]?.stream(['news', 'quiet'], left)
    expect((await back?.next('sse.open'))?.json).toMatchObject({ resumed: true, replay: 3 })
    const newer = await start(redis)
    await newer.publish('news', 5)
    const other = await newer.stream(['news', 'quiet'], since)
    expect((await other.next('sse.open')).json).toMatchObject({ resumed: true, replay: 1 })
  })

  it('it is restarted, and nothing is published since but what is refused: nothing is lost, nobody is told', async () => {
    const redis = await startRedis(...AOF)
    const server = await start(redis)
    await server.publish('news', 1)
    await server.hub.channel('over').end()
    await redis.kill()
    await redis.start()
    await expect(server.publish('over', 1)).rejects.toMatchObject({ code: 'ERR_SSE_CHANNEL_ENDED' })
    const left = await server.stream(['news'])
    await left.next('sse.live')
    await left.drop()
    await server.publish('news', 2)
    const back = await server.stream(['news'], left.lastEventId)
    await back.next('sse.live')
    expect(kindsOf(back)).toEqual(['news'])
    expect(newsOf(back)).toEqual([2])
  })

  it('it is restarted twice while a server is cut off: nothing is lost, nobody is told', async () => {
    const redis = await startRedis(...AOF)
    const interposer = await Interposer.start(redis.port)
    cleanup.push(() => interposer.stop())
    const [near, far] = [await start(redis), await start(redis, { port: interposer.port })]
    const stream = await far.stream(['news'])
    await near.publish('news', 1)
    await stream.next('news')
    interposer.refusing = true
    interposer.cut()
    for (const n of [2, 3, 4]) {
      await redis.kill()
      await redis.start()
      await near.publish('news', n)
    }
    interposer.refusing = false
    await until(() => newsOf(stream).length === 4)
    expect(newsOf(stream)).toEqual([1, 2, 3, 4])
    expect(kindsOf(stream)).not.toContain('sse.gap')
  })

  it('it stands still for seconds: publishes reject, streams stay, nothing is lost', async () => {
    const redis = await startRedis()
    const servers = [await start(redis, { publishTimeout: 500 }), await start(redis)]
    const streams = await Promise.all(servers.map((server) => server.stream(['news'])))
    for (const stream of streams) await stream.next('sse.live')
    await servers[0]?.publish('news', 1)
    redis.pause()
    const inFlight = servers[1]?.publish('news', 2)
    // The first one may have been received; the second one waits behind it and never leaves.
    const rejected = [servers[0]?.publish('news', 3), servers[0]?.publish('news', 4)]
    for (const one of rejected) {
      await expect(one).rejects.toMatchObject({ code: 'ERR_SSE_BROKER', status: 503 })
    }
    await expect(servers[0]?.stream(['other'])).resolves.toMatchObject({ status: 503 })
    redis.resume()
    await inFlight
    await servers[0]?.publish('news', 5)
    for (const stream of streams) {
      await until(() => newsOf(stream).includes(5))
      expect(newsOf(stream)).toContain(2)
      expect(kindsOf(stream)).not.toContain('sse.gap')
    }
    expect(newsOf(streams[0] as TestStream)).toEqual(newsOf(streams[1] as TestStream))
  })

  it('it does not, but the event loop stands still for longer than a publish may take: it is not rejected', async () => {
    const redis = await startRedis()
    const server = await start(redis, { publishTimeout: 500 })
    const stream = await server.stream(['news'])
    await server.publish('news', 1)
    const publishing = server.publish('news', 2)
    // The script has left, and its answer waits to be read.
    await new Promise((resolve) => setImmediate(resolve))
    for (const until = performance.now() + 1_500; performance.now() < until; );
    await publishing
    await until(() => newsOf(stream).length === 2)
    expect(kindsOf(stream)).toEqual(['news', 'news'])
  })

  it('it is rolled back to a snapshot: readers are told, though it has more by the time they look', async () => {
    const redis = await startRedis()
    const interposer = await Interposer.start(redis.port)
    cleanup.push(() => interposer.stop())
    const server = await start(redis, { port: interposer.port })
    const stream = await server.stream(['news', 'quiet'])
    await server.publish('news', 1)
    await redis.command('SAVE')
    await copyFile(redis.file('dump.rdb'), redis.file('old.rdb'))
    for (const n of [2, 3, 4]) await server.publish('news', n)
    await until(() => newsOf(stream).length === 4)
    await redis.kill()
    await copyFile(redis.file('old.rdb'), redis.file('dump.rdb'))
    interposer.refusing = true
    await redis.start()
    const newcomer = await start(redis)
    for (const n of [12, 13, 14, 15, 16]) await newcomer.publish('news', n)
    interposer.refusing = false
    expect((await stream.next('sse.gap')).json).toEqual(gap)
    await newcomer.publish('news', 17)
    await until(() => newsOf(stream).at(-1) === 17)
    expect(kindsOf(stream).filter((kind) => kind === 'sse.gap')).toHaveLength(1)
  })

  it.each([0, 2])(
    'it loses events to a replica, which takes in %i others, and is primary again: who slept through it is told',
    async (count) => {
      const [first, second] = [await startRedis(), await startRedis()]
      const follow = async (replica: RedisServer, primary: RedisServer): Promise<void> => {
        await replica.command('REPLICAOF', '127.0.0.1', String(primary.port))
        await until(async () => /link_status:up/.test(String(await replica.command('INFO', 'replication'))))
      }
      await first.command('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
      await second.command('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
      const interposer = await Interposer.start(first.port)
      cleanup.push(() => interposer.stop())
      const server = await start(first, { port: interposer.port })
      const stream = await server.stream(['news', 'quiet'])
      await server.publish('news', 1)
      await follow(second, first)
      await second.command('REPLICAOF', 'NO', 'ONE')
      for (const n of [2, 3]) await server.publish('news', n)
      await until(() => newsOf(stream).length === 3)
      interposer.refusing = true
      interposer.cut()
      await follow(first, second)
      const between = await start(second)
      for (let n = 0; n < count; n++) await between.publish('news', 10 + n)
      await first.command('REPLICAOF', 'NO', 'ONE')
      const after = await start(first)
      for (const n of [14, 15]) await after.publish('news', n)
      interposer.refusing = false
      expect((await stream.next('sse.gap')).json).toEqual(gap)
      await after.publish('news', 16)
      await until(() => newsOf(stream).at(-1) === 16)
    },
  )

  it('the reply to a publish is lost: it is stored once', async () => {
    const redis = await startRedis()
    const proxy = await Interposer.start(redis.port)
    cleanup.push(() => proxy.stop())
    const [publisher, server] = [await start(redis, { port: proxy.port }), await start(redis)]
    const stream = await server.stream(['news'])
    await publisher.publish('news', 1)
    const lost = proxy.loseNextReply()
    const published = Promise.all([2, 3].map((n) => publisher.publish('news', n)))
    await lost
    const ids = await published
    await publisher.publish('news', 4)
    await until(() => newsOf(stream).includes(4))
    expect(newsOf(stream)).toEqual([1, 2, 3, 4])
    expect(
      stream
        .all()
        .filter(({ event }) => event === 'news')
        .slice(1, 3)
        .map(({ id }) => id),
    ).toEqual(ids)
  })

  it('it is restarted once the reply to a publish is lost, and once more: nothing is lost, nobody is told', async () => {
    const redis = await startRedis(...AOF)
    const proxy = await Interposer.start(redis.port)
    cleanup.push(() => proxy.stop())
    const publisher = await start(redis, { port: proxy.port })
    const first = await publisher.publish('news', 1)
    const lost = proxy.loseNextReply()
    const second = publisher.publish('news', 2)
    await lost
    proxy.refusing = true
    await redis.kill()
    await redis.start()
    proxy.refusing = false
    await second
    await redis.kill()
    await redis.start()
    await publisher.publish('news', 3)
    const stream = await (await start(redis)).stream(['news'], first)
    await stream.next('sse.live')
    expect(newsOf(stream)).toEqual([2, 3])
    expect(kindsOf(stream)).not.toContain('sse.gap')
  })

  it('it is flushed, and it is a join that finds out: who is new is told nothing, who comes back once', async () => {
    const redis = await startRedis()
    const server = await start(redis, { beacon: 60_000 })
    const id = await server.publish('news', 1)
    await redis.command('FLUSHALL')
    const fresh = await server.stream(['news'])
    await server.publish('news', 2)
    await fresh.next('news')
    expect(kindsOf(fresh)).not.toContain('sse.gap')
    await redis.command('FLUSHALL')
    const back = await server.stream(['quiet'], id)
    await server.publish('news', 3)
    await server.publish('quiet', 4)
    for (const [stream, channel] of [
      [fresh, 'news'],
      [back, 'quiet'],
    ] as const) {
      await stream.next('news')
      const gaps = stream.all().filter(({ event }) => event === 'sse.gap')
      expect(gaps.map(({ json }) => json)).toEqual([{ channels: [channel], reason: 'epoch' }])
    }
  })

  it('it does not, but the clock of a server is set: what it has kept of the log stays', async () => {
    const redis = await startRedis()
    const server = await start(redis, { beacon: 60_000 })
    const stream = await server.stream(['news'])
    const id = await server.publish('news', 1)
    await server.publish('news', 2)
    await until(() => newsOf(stream).length === 2)
    const now = Date.now
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000)
    cleanup.push(async () => clock.mockRestore())
    const back = await server.stream(['news'], id)
    await back.next('sse.live')
    expect(newsOf(back)).toEqual([2])
    expect(kindsOf(back)).not.toContain('sse.gap')
  })

  it('connections are cut: what was said meanwhile is read, in order', async () => {
    const redis = await startRedis()
    const proxy = await Interposer.start(redis.port)
    cleanup.push(() => proxy.stop())
    const [publisher, server] = [await start(redis), await start(redis, { port: proxy.port })]
    const stream = await server.stream(['news', 'quiet'])
    await stream.next('sse.live')
    for (let n = 0; n < 200; n++) {
      if (n % 20 === 0) proxy.cut()
      await publisher.publish(n % 7 === 0 ? 'quiet' : 'news', n)
    }
    await until(() => newsOf(stream).length >= 200)
    expect(newsOf(stream)).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(kindsOf(stream)).not.toContain('sse.gap')
  })

  it('more is said while it is cut off than is kept: the reader is told, before anything newer', async () => {
    const redis = await startRedis()
    const proxy = await Interposer.start(redis.port)
    cleanup.push(() => proxy.stop())
    const history = { length: 3 }
    const publisher = await start(redis, { history })
    const server = await start(redis, { history, port: proxy.port })
    const stream = await server.stream(['news', 'quiet'])
    await stream.next('sse.live')
    await publisher.publish('news', 0)
    await stream.next('news')
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await Promise.all(Array.from({ length: 50 }, (_, n) => publisher.publish('news', n + 1)))
    await until(() => newsOf(stream).at(-1) === 50)
    const kinds = kindsOf(stream)
    const missed = kinds.includes('sse.gap')
    expect(newsOf(stream).length === 51 || missed).toBe(true)
    if (missed) expect(kinds.indexOf('sse.gap')).toBeLessThan(kinds.length - 1)
    expect(newsOf(stream)).toEqual(newsOf(stream).toSorted((a, b) => Number(a) - Number(b)))
  })

  it('a connection dies without a word: it is noticed, and nothing is lost', async () => {
    const redis = await startRedis()
    const proxy = await Interposer.start(redis.port)
    cleanup.push(() => proxy.stop())
    const [publisher, server] = [await start(redis), await start(redis, { port: proxy.port })]
    const stream = await server.stream(['news'])
    await stream.next('sse.live')
    proxy.muteSubscription()
    await publisher.publish('news', 1)
    expect((await stream.next('news')).json).toBe(1)
  })

  it('it is full: publishes reject, and say why; readers stay', async () => {
    const redis = await startRedis('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction')
    const server = await start(redis)
    const stream = await server.stream(['news'])
    await server.publish('news', 1)
    await redis.command('CONFIG', 'SET', 'maxmemory', '1')
    await expect(server.publish('news', 2)).rejects.toMatchObject({
      code: 'ERR_SSE_BROKER',
      status: 503,
      message: expect.stringContaining('maxmemory'),
    })
    const other = await server.stream(['news', 'other'], stream.all()[0]?.id)
    expect(other.status).toBe(200)
    await redis.command('CONFIG', 'SET', 'maxmemory', '0')
    await server.publish('news', 3)
    await until(() => newsOf(stream).length === 2)
    expect(newsOf(stream)).toEqual([1, 3])
  })

  it('its replicas are gone for a while: publishes and joins wait for them', async () => {
    const redis = await startRedis()
    const server = await start(redis)
    const stream = await server.stream(['news'])
    await server.publish('news', 1)
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1')
    const published = server.publish('news', 2)
    const joined = server.stream(['other'])
    await until(async () => /errorstat_NOREPLICAS/.test(String(await redis.command('INFO', 'errorstats'))))
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await published
    expect((await joined).status).toBe(200)
    await until(() => newsOf(stream).length === 2)
    expect(kindsOf(stream)).toEqual(['news', 'news'])
  })

  it('its replicas stay away: a join that was refused until time was up says so, and of nothing that was stored', async () => {
    const redis = await startRedis()
    const server = await start(redis, { publishTimeout: 300 })
    await (await server.stream(['news'])).next('sse.live')
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1')
    expect((await server.stream(['other'])).status).toBe(503)
    const message = expect.stringMatching(/^Redis refused for 300 ms \(publishTimeout\): NOREPLICAS/)
    expect(server.errors).toEqual([expect.objectContaining({ code: 'ERR_SSE_BROKER', message })])
  })

  it('it is a replica, and stays one: what is refused says so', async () => {
    const primary = await startRedis()
    const replica = await startRedis('--replicaof', '127.0.0.1', String(primary.port))
    const server = await start(replica, { publishTimeout: 300 })
    await expect(server.publish('news', 1)).rejects.toMatchObject({
      code: 'ERR_SSE_BROKER',
      message: expect.stringMatching(/^Redis refused for 300 ms .*READONLY/),
    })
    expect((await server.stream(['news'])).status).toBe(503)
  })

  it('it evicts at will: it is refused from the start, with the remedy', async () => {
    const redis = await startRedis('--maxmemory-policy', 'allkeys-lru')
    const server = await start(redis)
    await expect(server.publish('news', 1)).rejects.toMatchObject({
      code: 'ERR_SSE_BROKER',
      message: expect.stringContaining('noeviction'),
    })
    expect((await server.stream(['news'])).status).toBe(503)
  })

  it('its client renames keys: it is refused from the start, with the remedy', async () => {
    const redis = await startRedis()
    const client = createClient({ url: `redis://127.0.0.1:${redis.port}`, keyPrefix: 'app:' })
    await client.on('error', () => {}).connect()
    cleanup.push(async () => client.destroy())
    await expect(redisBroker({ client }).read([], undefined)).rejects.toMatchObject({
      code: 'ERR_SSE_BROKER',
      message: expect.stringContaining('keyPrefix'),
    })
  })

  it.each([
    ['subscribe', ['resetchannels']],
    ['ask which server it is', ['&*', '-info']],
  ])('its user may not %s: joins are refused, and say why', async (_, rules) => {
    const redis = await startRedis()
    await redis.command('ACL', 'SETUSER', 'app', 'on', '>secret', '+@all', '~*', ...rules)
    const client = createClient({ url: `redis://app:secret@127.0.0.1:${redis.port}` }).on('error', () => {})
    await client.connect()
    cleanup.push(async () => client.destroy())
    const broker = redisBroker({ client, publishTimeout: 300 })
    const sink = { changed() {}, beforeEviction() {}, reset() {}, size: () => 0, disconnect() {} }
    cleanup.push(() => broker.close())
    await expect(broker.attach(['a'], sink)).rejects.toMatchObject({
      code: 'ERR_SSE_BROKER',
      status: 503,
      cause: { message: expect.stringContaining('no permissions') },
    })
  })

  it('it is not there at first: joins are refused in time, and work once it is', async () => {
    const redis = await startRedis()
    const server = await start(redis, { publishTimeout: 300 })
    await redis.kill()
    expect((await server.stream(['news'])).status).toBe(503)
    await redis.start()
    const stream = await server.stream(['news'])
    expect(stream.status).toBe(200)
    await server.publish('news', 1)
    expect((await stream.next('news')).json).toBe(1)
  })

  it('it is rolled back, and all servers with it: who comes back is told, and gets what is published then', async () => {
    const redis = await startRedis('--dbfilename', 'dump.rdb')
    const first = await Server.start(redis)
    const before = await first.stream(['news'])
    await before.next('sse.live')
    for (const n of [1, 2, 3]) await first.publish('news', n)
    await redis.command('SAVE')
    for (const n of [4, 5]) await first.publish('news', n)
    await until(() => newsOf(before).length === 5)
    await before.drop()
    // A power cut of the one machine on which both run.
    await Promise.all([redis.kill(), first.stop()])
    await redis.start()
    const second = await start(redis)
    const published = [14, 15, 16, 17]
    for (const n of published) await second.publish('news', n)
    const after = await second.stream(['news'], before.lastEventId)
    await after.next('sse.live')
    expect(kindsOf(after)[0]).toBe('sse.gap')
    expect(newsOf(after)).toEqual([1, 2, 3, ...published])
  })

  it('it is rolled back to before the first event, and all servers with it: a position is not given twice', async () => {
    const redis = await startRedis('--dbfilename', 'dump.rdb')
    const first = await Server.start(redis)
    const before = await first.stream(['news'])
    await before.next('sse.live')
    await redis.command('SAVE')
    for (const n of [1, 2, 3]) await first.publish('news', n)
    await until(() => newsOf(before).length === 3)
    await before.drop()
    await Promise.all([redis.kill(), first.stop()])
    await redis.start()
    const second = await start(redis)
    const published = [11, 12, 13, 14]
    for (const n of published) await second.publish('news', n)
    const after = await second.stream(['news'], before.lastEventId)
    await after.next('sse.live')
    expect(newsOf(after)).toEqual(published)
  })

  it.each(['ends', 'publishes'])(
    'a producer %s while it is away: its readers are sent away once it is back',
    async (what) => {
      const redis = await startRedis(...AOF)
      const server = await start(redis, { publishTimeout: 300 })
      const stream = await server.stream(['answer'])
      await stream.next('sse.live')
      const gate = new AbortController()
      const run = server.hub.channel('answer').run(async function* () {
        yield { event: 'news' as const, data: 1 }
        await once(gate.signal, 'abort')
        if (what === 'publishes') yield { event: 'news' as const, data: 2 }
      })
      await stream.next('news')
      await redis.kill()
      gate.abort()
      await until(() => server.errors.length > 0 || what === 'ends')
      await redis.start()
      await run
      const reason = what === 'ends' ? 'done' : 'error'
      expect((await stream.next('sse.close')).json).toEqual({ reason })
    },
  )

  it('a producer cannot begin, as it is away: its readers are told as of one that fails', async () => {
    const redis = await startRedis(...AOF)
    const server = await start(redis, { publishTimeout: 300 })
    const stream = await server.stream(['answer'])
    await stream.next('sse.live')
    await redis.kill()
    const run = server.hub.channel('answer').run(function* () {
      yield { event: 'news' as const, data: 1 }
    })
    await until(() => server.errors.length > 0)
    await redis.start()
    await run
    expect((await stream.next('sse.close')).json).toEqual({ reason: 'error' })
  })

  it('it answers nothing: a hub closes all the same within its time', async () => {
    const redis = await startRedis()
    const server = await start(redis)
    const stream = await server.stream(['news'])
    await stream.next('sse.live')
    redis.pause()
    const publishing = server.publish('news', 1).catch(() => {})
    const began = performance.now()
    await server.hub.close({ within: 300 })
    expect(performance.now() - began).toBeLessThan(3_000)
    redis.resume()
    await publishing
  })

  describe('a client that is closed once its broker is', () => {
    async function start() {
      const redis = await startRedis()
      const interposer = await Interposer.start(redis.port)
      cleanup.push(() => interposer.stop())
      const client = await redis.connect(interposer.port)
      cleanup.push(async () => client.destroy())
      const broker = redisBroker({ client, beacon: 10, publishTimeout: 500 })
      return { interposer, client, broker }
    }

    it('closes although its connection was lost: what nobody has asked for is withdrawn', async () => {
      const { interposer, client, broker } = await start()
      const sink = { changed() {}, beforeEviction() {}, reset() {}, size: () => 0, disconnect() {} }
      await broker.attach(['a'], sink)
      interposer.refusing = true
      interposer.cutCalls()
      await until(() => !client.isReady)
      const asked = vi.spyOn(client, 'withCommandOptions')
      await until(() => asked.mock.calls.length > 0)
      await broker.close()
      await client.close()
    })

    it('closes although its connection is lost then: what was given up is over before', async () => {
      const { interposer, client, broker } = await start()
      await broker.publish('a', { kind: 'event', event: 'news', data: '1', key: undefined }, RETENTION)
      interposer.holdCalls()
      const late = broker.publish('a', { kind: 'event', event: 'news', data: '2', key: undefined }, RETENTION)
      await expect(late).rejects.toMatchObject({ code: 'ERR_SSE_BROKER' })
      const closed = broker.close().then(() => client.close())
      await new Promise(setImmediate)
      interposer.cutCalls()
      await closed
    })
  })

  it('its connection falls silent before the first subscription is acknowledged: another one takes its place', async () => {
    const redis = await startRedis()
    const client = await redis.connect()
    cleanup.push(async () => client.destroy())
    const duplicate = vi.fn(() => client.duplicate())
    duplicate.mockImplementationOnce(() => {
      const silent = client.duplicate()
      // As node-redis does with what has no reply by then.
      vi.spyOn(silent, 'subscribe').mockImplementation(
        () => new Promise((_, reject) => silent.once('end', () => reject(new Error('Disconnects client')))),
      )
      return silent
    })
    const wrapped: RedisClient = {
      duplicate,
      withCommandOptions: (options) => client.withCommandOptions(options),
    }
    const broker = redisBroker({ client: wrapped, beacon: 50, publishTimeout: 2_000 })
    cleanup.push(() => broker.close())
    const sink = { changed() {}, beforeEviction() {}, reset() {}, size: () => 0, disconnect() {} }
    await broker.attach(['a'], sink)
  })

  it('it is away for long: joins that are refused leave nothing behind', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const redis = await startRedis()
    const client = await redis.connect()
    cleanup.push(async () => client.destroy())
    const broker = redisBroker({ client, publishTimeout: 20, linger: 20 })
    cleanup.push(() => broker.close())
    const sink = { changed() {}, beforeEviction() {}, reset() {}, size: () => 0, disconnect() {} }
    const join = async (channel: string): Promise<boolean> => {
      const joined = await Promise.resolve(broker.attach([channel], sink)).then(
        () => true,
        () => false,
      )
      broker.detach(channel, sink)
      return joined
    }
    await until(() => join('known'))
    await redis.kill()
    const refuse = async (rounds: number): Promise<number> => {
      for (let round = 0; round < rounds; round++) {
        const joins = await Promise.all(Array.from({ length: 200 }, (_, n) => join(`user:${n % 100}`)))
        expect(joins).not.toContain(true)
      }
      collect()
      return process.memoryUsage().heapUsed
    }
    await until(async () => !(await join('user:0')))
    const before = await refuse(20)
    expect(((await refuse(50)) - before) / 10_000).toBeLessThan(500)
  })
})
