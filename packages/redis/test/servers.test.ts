import { setImmediate as nextTurn } from 'node:timers/promises'
import { missing, RedisServer } from '@sse/test-redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { kindsOf, newsOf, Server, type ServerOptions, until } from './cluster.ts'

describe.skipIf(missing)('several servers on one Redis', () => {
  let redis: RedisServer
  let prefix = ''
  let count = 0
  let servers: Server[] = []

  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(() => redis.remove())
  beforeEach(() => {
    prefix = `servers-${++count}`
  })
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    servers = []
  })

  async function start(options: ServerOptions = {}): Promise<Server> {
    const server = await Server.start(redis, { prefix, ...options })
    servers.push(server)
    return server
  }

  it('deliver what any of them publishes', async () => {
    const [a, b] = [await start(), await start()]
    const stream = await b.stream(['news'])
    await a.publish('news', 1)
    await b.publish('news', 2)
    expect((await stream.next('news')).json).toBe(1)
    expect((await stream.next('news')).json).toBe(2)
  })

  it('have one order, however many publish at once', async () => {
    const [a, b, c] = [await start(), await start(), await start()]
    const streams = await Promise.all([a, b, c].map((server) => server.stream(['x', 'y'])))
    const values = Array.from({ length: 100 }, (_, n) => n)
    await Promise.all([
      ...values.map((n) => a.publish(n % 2 === 0 ? 'x' : 'y', n)),
      ...values.map((n) => b.publish(n % 3 === 0 ? 'x' : 'y', 1000 + n)),
    ])
    await until(() => streams.every((stream) => newsOf(stream).length >= 200))
    const [first, ...others] = streams.map(newsOf)
    for (const other of others) expect(other).toEqual(first)
    expect(first?.filter((n) => Number(n) < 1000)).toEqual(values)
    expect(first?.filter((n) => Number(n) >= 1000)).toEqual(values.map((n) => 1000 + n))
  })

  it('take over each other’s readers exactly', async () => {
    const [a, b] = [await start(), await start()]
    const before = await a.stream(['news', 'quiet'])
    await before.next('sse.live')
    await a.publish('news', 1)
    await before.next('news')
    await before.drop()
    await a.publish('news', 2)
    await b.publish('news', 3)
    const after = await b.stream(['news', 'quiet'], before.lastEventId)
    expect((await after.next('sse.open')).json).toMatchObject({ resumed: true, replay: 2 })
    await after.next('sse.live')
    await a.publish('news', 4)
    await after.next('news')
    await until(() => newsOf(after).length === 3)
    expect(newsOf(after)).toEqual([2, 3, 4])
    expect(after.all().map(({ event }) => event)).not.toContain('sse.gap')
  })

  it('are replaced one after the other: readers miss nothing, and have nothing twice', async () => {
    const live = [await start(), await start(), await start()]
    const serverOf = (n: number): Server => live[n % live.length] as Server
    let enough = false
    let over = false
    const published: number[] = []
    const publishing = (async () => {
      for (let value = 0; !enough; value++) {
        // Refused by one that is closing: by another one then.
        while (
          !(await serverOf(value)
            .publish('news', value)
            .then(Boolean, () => false))
        )
          await nextTurn()
        published.push(value)
        await nextTurn()
      }
    })()
    const read = async (first: number) => {
      const kinds: string[] = []
      const news: unknown[] = []
      let id: string | undefined
      let connections = 0
      while (!over || news.length < published.length) {
        const stream = await serverOf(first + connections).stream(['news'], id, id ? 0 : Infinity)
        connections += 1
        let ended = false
        void stream.ended.then(() => {
          ended = true
        })
        await until(() => ended || (over && news.length + newsOf(stream).length >= published.length))
        kinds.push(...kindsOf(stream))
        news.push(...newsOf(stream))
        id = stream.lastEventId || id
        await stream.drop()
      }
      return { kinds: new Set(kinds), news, connections }
    }
    const reading = Promise.all([0, 1, 2, 3, 4, 5].map(read))
    await until(() => live.reduce((sum, { hub }) => sum + hub.streams.size, 0) === 6)
    for (const [index, old] of [...live].entries()) {
      await until(() => published.length > 20 * (index + 1))
      live[index] = await start()
      await old.hub.close({ within: 200 })
    }
    const { length } = published
    await until(() => published.length > length + 20)
    enough = true
    await publishing
    over = true
    for (const { connections, kinds, news } of await reading) {
      expect(connections).toBeGreaterThan(1)
      expect(kinds).toEqual(new Set(['news']))
      expect(news).toEqual(published)
    }
  })

  it('keep channels apart whose names look like patterns, keys, or one another', async () => {
    const [a, b] = [await start(), await start()]
    const names = [
      '*',
      'n?',
      'n[ab]',
      'na',
      'a:b',
      'a',
      ':',
      '{x}',
      'x',
      'é',
      'e\u0301',
      'a\nb',
      'a\0b',
      'log:a',
      'а',
      '-',
      '%',
    ]
    const streams = await Promise.all(names.map((name) => b.stream([name])))
    for (const stream of streams) await stream.next('sse.live')
    for (const [value, name] of names.entries()) await a.publish(name, value)
    const late = await Promise.all(names.map((name) => a.stream([name], undefined, 10)))
    for (const [value] of names.entries()) {
      for (const stream of [streams[value], late[value]]) {
        expect((await stream?.next('news'))?.json).toBe(value)
        expect(stream && newsOf(stream)).toEqual([value])
      }
    }
  })

  it('say the same of a cursor that is older than what is kept', async () => {
    const [a, b] = [await start({ history: { length: 2 } }), await start({ history: { length: 2 } })]
    const stream = await a.stream(['news'])
    await stream.next('sse.live')
    await a.publish('news', 1)
    await stream.next('news')
    await stream.drop()
    for (const n of [2, 3, 4, 5]) await a.publish('news', n)
    for (const server of [a, b]) {
      const again = await server.stream(['news'], stream.lastEventId)
      expect((await again.next('sse.gap')).json).toEqual({ channels: ['news'], reason: 'evicted' })
      await until(() => newsOf(again).at(-1) === 5)
      expect(newsOf(again).slice(-2)).toEqual([4, 5])
    }
  })

  it('keep a quiet channel, however noisy another one is', async () => {
    const [a, b] = [await start({ history: { length: 10 } }), await start({ history: { length: 10 } })]
    const stream = await a.stream(['quiet'])
    await stream.next('sse.live')
    await stream.drop()
    await a.publish('quiet', 1)
    await Promise.all(Array.from({ length: 500 }, (_, n) => a.publish('noisy', n)))
    const again = await b.stream(['quiet'], stream.lastEventId)
    await again.next('sse.live')
    expect(newsOf(again)).toEqual([1])
    expect(again.raw).not.toContain('sse.gap')
  })

  it('give a new reader as many of the newest as it asks for', async () => {
    const [a, b] = [await start(), await start()]
    await a.publish('news', 1)
    await Promise.all([a.publish('news', 2), b.publish('news', 3)])
    const stream = await b.stream(['news'], undefined, 2)
    await stream.next('sse.live')
    expect(newsOf(stream).sort()).toEqual([2, 3])
  })

  it('tell readers at once how far they are, though other channels are those that move', async () => {
    const [a, b] = [await start({ beacon: 60_000 }), await start({ beacon: 60_000 })]
    await b.stream(['quiet'])
    await a.publish('other', 1)
    const cursor = await a.hub.cursor()
    const stream = await b.stream(['quiet'], cursor)
    expect((await stream.next('sse.live')).id).toBe(cursor)
  })

  it('follow only the channels that have readers, and let go of them after a while', async () => {
    const [a] = [await start({ linger: 10 })]
    const topics = async (): Promise<unknown> => redis.command('PUBSUB', 'CHANNELS', `{${prefix}}:channel:*`)
    expect(await topics()).toEqual([])
    const stream = await a.stream(['news'])
    expect(await topics()).toEqual([`{${prefix}}:channel:news`])
    await stream.drop()
    await until(async () => JSON.stringify(await topics()) === '[]')
    const again = await a.stream(['news'], stream.lastEventId)
    await a.publish('news', 1)
    expect((await again.next('news')).json).toBe(1)
  })

  it('take readers back without asking Redis', async () => {
    const [a] = [await start({ beacon: 60_000 })]
    const stream = await a.stream(['news'])
    await stream.next('sse.live')
    for (const n of [1, 2, 3]) await a.publish('news', n)
    await until(() => newsOf(stream).length === 3)
    const cursor = stream.all().find(({ event }) => event === 'news')?.id
    const before = await redis.command('INFO', 'commandstats')
    const herd = await Promise.all(Array.from({ length: 50 }, () => a.stream(['news'], cursor)))
    for (const one of herd) await one.next('sse.live')
    expect(herd.map(newsOf)).toEqual(herd.map(() => [2, 3]))
    const after = await redis.command('INFO', 'commandstats')
    expect(calls(after, 'evalsha')).toBe(calls(before, 'evalsha'))
  })
})

const calls = (info: unknown, command: string): number =>
  Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(String(info))?.[1] ?? 0)
