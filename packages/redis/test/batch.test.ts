import type { Broker, Message } from '@sse/express'
import { type Client, missing, RedisServer } from '@sse/test-redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { redisBroker } from '../src/index.ts'
import { newsOf, Server, type ServerOptions, until } from './cluster.ts'
import { Interposer } from './interposer.ts'

const AMPLE = { length: 10_000, bytes: 10_000_000, age: 3_600_000 }
const event = (data: string, key?: string): Message => ({ kind: 'event', event: 'news', data, key })
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1)

describe.skipIf(missing)('what is published in one turn', { timeout: 60_000 }, () => {
  let redis: RedisServer
  let client: Client
  let prefix = ''
  let count = 0
  const cleanup: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    redis = await RedisServer.start()
    client = await redis.connect()
  })
  afterAll(async () => {
    client.destroy()
    await redis.remove()
  })
  beforeEach(() => {
    prefix = `batch-${++count}`
  })
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean()
  })

  function create(near: Client = client): Broker {
    const broker = redisBroker({ client: near, prefix })
    cleanup.push(() => broker.close())
    return broker
  }

  async function start(options: ServerOptions = {}): Promise<Server> {
    const server = await Server.start(redis, { prefix, ...options })
    cleanup.push(() => server.stop())
    return server
  }

  const calls = async (command: string): Promise<number> =>
    Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info('commandstats'))?.[1] ?? 0)

  it('keeps its order across channels, on every server', async () => {
    const [near, far] = [await start(), await start()]
    const streams = await Promise.all([near, far].map((server) => server.stream(['a', 'b', 'c'])))
    for (const stream of streams) await stream.next('sse.live')
    const all = numbers(400)
    // Some follow each other on a channel, others do not.
    const ids = await Promise.all(all.map((n) => near.publish('aaabcb'.charAt(n % 6), n)))
    const positions = ids.map((id) => Number.parseInt(id.split('-').at(-1) ?? '', 36))
    expect(positions).toEqual(positions.toSorted((a, b) => a - b))
    expect(new Set(positions).size).toBe(400)
    for (const stream of streams) {
      await until(() => newsOf(stream).length >= 400)
      expect(newsOf(stream)).toEqual(all)
    }
    const late = await far.stream(['a', 'b', 'c'], ids[99])
    await until(() => newsOf(late).length >= 300)
    expect(newsOf(late)).toEqual(all.slice(100))
  })

  it('goes in few calls and notes, none of which holds up Redis for long', async () => {
    const broker = create()
    await broker.publish('a', event('0'), AMPLE)
    const before = [await calls('evalsha'), await calls('publish')]
    await Promise.all(numbers(1_000).map((n) => broker.publish('a', event(String(n)), AMPLE)))
    const [made = 0, said = 0] = [await calls('evalsha'), await calls('publish')].map(
      (now, index) => now - (before[index] ?? 0),
    )
    expect(made).toBeGreaterThanOrEqual(1_000 / 128)
    expect(made).toBeLessThan(12)
    expect(said).toBeLessThan(24)
    const bulky = event('x'.repeat(200_000))
    const calm = await calls('evalsha')
    await Promise.all(numbers(8).map(() => broker.publish('a', bulky, AMPLE)))
    expect((await calls('evalsha')) - calm).toBeGreaterThanOrEqual(4)
  })

  it('goes at once where nothing is under way', async () => {
    const broker = create()
    await broker.publish('a', event('0'), AMPLE)
    const before = await calls('evalsha')
    for (const n of numbers(5)) await broker.publish('a', event(String(n)), AMPLE)
    expect((await calls('evalsha')) - before).toBe(5)
  })

  it('is stored once where the reply is lost, and each has the id of the first time', async () => {
    const interposer = await Interposer.start(redis.port)
    cleanup.push(() => interposer.stop())
    const near = await redis.connect(interposer.port)
    cleanup.push(async () => near.destroy())
    const server = await start()
    const stream = await server.stream(['a', 'b'])
    await stream.next('sse.live')
    const broker = create(near)
    await broker.publish('a', event('1'), AMPLE)
    const lost = interposer.loseNextReply()
    const published = Promise.all(
      [2, 3, 4, 5, 6, 7].map((n) => broker.publish(n < 5 ? 'a' : 'b', event(String(n)), AMPLE)),
    )
    await lost
    const ids = await published
    await broker.publish('a', event('8'), AMPLE)
    await until(() => newsOf(stream).includes(8))
    expect(newsOf(stream)).toEqual(numbers(8))
    const heard = stream.all().filter(({ event: name }) => name === 'news')
    expect(heard.slice(1, 7).map(({ id }) => id)).toEqual(ids)
  })

  it('fails one by one: neither what is refused nor an ended channel takes its neighbours along', async () => {
    const broker = create()
    await broker.publish('over', { kind: 'end', reason: 'done' }, AMPLE)
    const forged: Message = { kind: 'event', event: 'a\nb', data: '1', key: undefined }
    const outcomes = await Promise.allSettled([
      broker.publish('a', event('1'), AMPLE),
      broker.publish('a', forged, AMPLE),
      broker.publish('over', event('2'), AMPLE),
      broker.publish('a', event('x'.repeat(1_000_000)), AMPLE),
      broker.publish('a', event('3', 'key'), AMPLE),
      broker.publish('a', event('4'), AMPLE),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ])
    expect(outcomes[2]).toMatchObject({ reason: { code: 'ERR_SSE_CHANNEL_ENDED' } })
  })

  it('reaches who is there, though more is published than is kept', async () => {
    const options = { history: { length: 3 } }
    const [near, far] = [await start(options), await start(options)]
    const streams = await Promise.all([near, far].map((server) => server.stream(['a', 'quiet'])))
    for (const stream of streams) await stream.next('sse.live')
    const ids = await Promise.all(numbers(100).map((n) => near.publish('a', n)))
    for (const stream of streams) {
      await until(() => newsOf(stream).at(-1) === 100)
      expect(newsOf(stream)).toEqual(numbers(100))
    }
    // Who left in the midst gets what is left of what was stored in one piece, and nothing that was dropped.
    const late = await start(options)
    const back = await late.stream(['a'], ids[98])
    await until(() => newsOf(back).length === 1)
    expect(back.all().some(({ event: name }) => name === 'sse.gap')).toBe(false)
    const longAway = await late.stream(['a'], ids[50])
    await until(() => newsOf(longAway).length === 3)
    expect(newsOf(longAway)).toEqual([98, 99, 100])
    expect(longAway.all().some(({ event: name }) => name === 'sse.gap')).toBe(true)
  })
})
