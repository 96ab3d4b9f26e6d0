import { type Broker, type BrokerSink, createEntry, formatCursor, type Message, SseError } from '@sse/express'
import { type Client, missing, RedisServer } from '@sse/test-redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { redisBroker } from '../src/index.ts'
import { until } from './cluster.ts'
import { Interposer } from './interposer.ts'

const AMPLE = { length: 1_000, bytes: 1_000_000, age: 3_600_000 }
const event = (data: string, key?: string): Message => ({ kind: 'event', event: 'news', data, key })
const sink = (): BrokerSink => ({
  changed() {},
  beforeEviction() {},
  reset: vi.fn(),
  size: () => 0,
  disconnect() {},
})

describe.skipIf(missing)('what Redis retains', () => {
  let server: RedisServer
  let client: Client
  let prefix = ''
  let count = 0
  let brokers: Broker[] = []

  beforeAll(async () => {
    server = await RedisServer.start()
    client = await server.connect()
  })
  afterAll(async () => {
    client.destroy()
    await server.remove()
  })
  beforeEach(() => {
    prefix = `retention-${++count}`
  })
  afterEach(async () => {
    await Promise.all(brokers.map((broker) => broker.close()))
    brokers = []
  })

  function create(options: { beacon?: number; client?: Client } = {}): Broker {
    const broker = redisBroker({ client, prefix, beacon: 60_000, ...options })
    brokers.push(broker)
    return broker
  }

  async function evictedOf(broker: Broker, channel: string): Promise<number | undefined> {
    await broker.attach([channel], sink())
    return (await broker.read([channel], undefined)).histories.get(channel)?.evicted
  }

  const keys = async (pattern: string): Promise<string[]> => client.keys(`{${prefix}}:${pattern}`)

  it('expires by age, and says so', async () => {
    const broker = create()
    await broker.publish('a', event('1'), { ...AMPLE, age: 20 })
    await until(async () => (await evictedOf(create(), 'a')) === 1)
  })

  it('expires what is too old, and nothing that is not', async () => {
    const broker = create()
    for (const data of ['1', '2', '3']) {
      await broker.publish('a', event(data), { ...AMPLE, age: 100_000 })
      // As if a minute were over.
      await client.hIncrBy(`{${prefix}}:meta`, 'at', 60_000)
    }
    expect(await evictedOf(create(), 'a')).toBe(2)
    await broker.publish('a', event('4'), { ...AMPLE, age: 100_000 })
    expect(await evictedOf(create(), 'a')).toBe(2)
  })

  it('counts as dropped where a channel’s log is gone, though nobody dropped it', async () => {
    const broker = create()
    for (const data of ['1', '2', '3']) await broker.publish('a', event(data), AMPLE)
    const [log] = await keys('*:log:a')
    await client.del(log ?? '')
    expect(await evictedOf(broker, 'a')).toBe(3)
    // They take up no room any more.
    await broker.publish('a', event('4'), { ...AMPLE, length: 2 })
    expect(await evictedOf(create(), 'a')).toBe(3)
  })

  it.each(['states', 'order'])(
    'counts as dropped where a channel’s %s are gone, and goes on',
    async (part) => {
      const broker = create()
      for (const key of ['a', 'b']) await broker.publish('a', event('1', key), AMPLE)
      await broker.publish('a', event('2'), AMPLE)
      const [gone = ''] = await keys(`*:${part}:a`)
      await client.del(gone)
      expect(await evictedOf(create(), 'a')).toBe(3)
      await broker.publish('a', event('3', 'b'), AMPLE)
      const late = create()
      expect(await evictedOf(late, 'a')).toBe(3)
      expect((await late.read(['a'], undefined)).histories.get('a')?.length).toBe(1)
      // One makes room for the other.
      const { length: bytes } = createEntry(event('3', 'b'), 'e'.repeat(13), 1, 0).frame
      await broker.publish('a', event('4', 'c'), { ...AMPLE, bytes })
      expect(await evictedOf(create(), 'a')).toBe(4)
    },
  )

  it('goes on where a channel’s states are gone while they are too many', async () => {
    const broker = create()
    for (const key of ['a', 'b']) await broker.publish('a', event('1', key), AMPLE)
    const [states = ''] = await keys('*:states:a')
    await client.del(states)
    await broker.publish('a', event('2', 'c'), { ...AMPLE, bytes: 1 })
    expect(await evictedOf(create(), 'a')).toBe(2)
  })

  it('counts what may have been forgotten as dropped, also when the channel is there again', async () => {
    const broker = create()
    for (const data of ['1', '2', '3']) await broker.publish('old', event(data), AMPLE)
    const [minutes = ''] = await keys('*:minutes')
    const now = Math.floor(Date.now() / 60_000)
    // As if the three had been published two hours ago, and the fourth just now.
    await client.del(minutes)
    await client.zAdd(minutes, { score: now, value: '3' })
    await client.del(await keys('*:*:old'))
    await broker.publish('other', event('4'), AMPLE)
    expect(await evictedOf(create(), 'old')).toBe(3)
    await broker.publish('old', event('5'), AMPLE)
    expect(await evictedOf(create(), 'old')).toBe(3)
  })

  it('begins a channel anew of which only parts are left', async () => {
    const broker = create()
    for (const key of ['a', 'b']) await broker.publish('a', event('1', key), AMPLE)
    const [figures = ''] = await keys('*:channel:a')
    await client.del(figures)
    await broker.publish('a', event('2', 'c'), AMPLE)
    const late = create()
    await late.attach(['a'], sink())
    expect((await late.read(['a'], undefined)).histories.get('a')?.length).toBe(1)
  })

  it('remembers a quiet channel for an hour, and one with states for good', async () => {
    const broker = create()
    await broker.publish('events', event('1'), { ...AMPLE, age: 1_000 })
    await broker.publish('states', event('1', 'k'), { ...AMPLE, age: 1_000 })
    const ttl = async (pattern: string): Promise<number> => client.pTTL((await keys(pattern))[0] ?? '')
    expect(await ttl('*:log:events')).toBeGreaterThan(0)
    expect(await ttl('*:log:events')).toBeLessThanOrEqual(2_000)
    expect(await ttl('once:*')).toBeGreaterThan(0)
    expect(await ttl('*:minutes')).toBeGreaterThan(3_500_000)
    expect(await ttl('*:channel:events')).toBeGreaterThan(3_500_000)
    expect(await ttl('*:channel:states')).toBe(-1)
    expect(await ttl('*:states:states')).toBe(-1)
    await broker.publish('states', { kind: 'end', reason: 'done' }, AMPLE)
    for (const part of ['channel', 'states', 'order'])
      expect(await ttl(`*:${part}:states`)).toBeGreaterThan(3_500_000)
  })

  it('is read once for all who come together', async () => {
    const broker = create()
    for (const data of ['1', '2', '3']) await broker.publish('a', event(data), AMPLE)
    await broker.attach(['a'], sink())
    const before = await reads()
    const readings = await Promise.all(Array.from({ length: 3_000 }, () => broker.read(['a'], undefined)))
    expect(new Set(readings.map(({ histories }) => histories.get('a'))).size).toBe(1)
    expect((await reads()) - before).toBeLessThan(3)
  })

  it('is complete for who comes, also what was said and is not heard yet', async () => {
    const interposer = await Interposer.start(server.port)
    const near = await server.connect(interposer.port)
    const broker = redisBroker({ client: near, prefix, beacon: 60_000 })
    await broker.attach(['a'], sink())
    await broker.read(['a'], undefined)
    const release = interposer.holdSubscription()
    const id = await create().publish('a', event('1', 'k'), AMPLE)
    const reading = broker.read(['a'], undefined)
    // Asked behind it, on the same connection: by then it has its answer.
    await new Promise((resolve) => setImmediate(resolve))
    await near.ping()
    release()
    const { epoch, head, histories } = await reading
    expect(formatCursor(epoch, head)).toBe(id)
    expect(histories.get('a')?.length).toBe(1)
    await broker.close()
    near.destroy()
    await interposer.stop()
  })

  it('is swept when its log is abandoned', async () => {
    const other = `${prefix}[1]*`
    const neighbour = redisBroker({ client, prefix: other })
    brokers.push(neighbour)
    await neighbour.publish('a', event('1', 'k'), AMPLE)
    const broker = create()
    for (let n = 0; n < 20; n++) await broker.publish(`channel-${n}`, event('1', 'k'), AMPLE)
    const [former = ''] = await keys('*:minutes')
    await client.hSet(`{${prefix}}:meta`, 'g', 1)
    await broker.publish('a', event('2'), AMPLE)
    const epoch = former.split(':')[1]
    await until(async () => (await keys(`${epoch}:*`)).length === 0)
    expect(await keys('*:log:a')).toHaveLength(1)
    expect((await client.keys('*')).filter((key) => key.startsWith(`{${other}}`))).not.toEqual([])
  })

  it('is swept also where the word of it is lost', async () => {
    const interposer = await Interposer.start(server.port)
    const far = await server.connect(interposer.port)
    const broker = create({ client: far })
    const former = (await broker.publish('a', event('1', 'k'), AMPLE)).split('-')[0]
    await broker.publish('a', event('2', 'k'), AMPLE)
    await client.hSet(`{${prefix}}:meta`, 'g', 1)
    const lost = interposer.loseNextReply()
    const published = broker.publish('a', event('3'), AMPLE)
    await lost
    await published
    expect(await keys(`${former}:*`)).not.toEqual([])
    // As if a minute were over.
    await client.hSet(`{${prefix}}:meta`, 'sweep', 1)
    await broker.publish('a', event('4'), AMPLE)
    await until(async () => (await keys(`${former}:*`)).length === 0)
    await until(async () => !(await client.hExists(`{${prefix}}:meta`, 'leftovers')))
    await broker.close()
    far.destroy()
    await interposer.stop()
  })

  it('is stored anew where the reply was lost, and then the log', async () => {
    const interposer = await Interposer.start(server.port)
    const far = await server.connect(interposer.port)
    const [broker, other] = [create({ client: far }), create()]
    const former = await broker.publish('a', event('1'), AMPLE)
    await other.publish('a', event('2'), AMPLE)
    const lost = interposer.loseNextReply()
    const published = broker.publish('a', event('3'), AMPLE)
    await lost
    interposer.refusing = true
    await client.hSet(`{${prefix}}:meta`, 'g', 1)
    await other.publish('a', event('4'), AMPLE)
    interposer.refusing = false
    const id = await published
    expect(id.split('-')[0]).not.toBe(former.split('-')[0])
    await other.attach(['a'], sink())
    const { epoch, head, histories } = await other.read(['a'], undefined)
    expect(formatCursor(epoch, head)).toBe(id)
    expect(histories.get('a')?.length).toBe(2)
    await broker.close()
    far.destroy()
    await interposer.stop()
  })

  it('is not touched by what the wire refuses, and neither are its neighbours', async () => {
    const broker = create()
    const forged: Message = { kind: 'event', event: 'a\nb', data: '1', key: undefined }
    const published = [
      broker.publish('a', event('1'), AMPLE),
      broker.publish('a', forged, AMPLE),
      broker.publish('half a character \ud800', event('1'), AMPLE),
      broker.publish('a', event('2'), AMPLE),
    ]
    const outcomes = await Promise.allSettled(published)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    await expect(published[2]).rejects.toBeInstanceOf(SseError)
    await expect(broker.attach(['\udc00'], sink())).rejects.toMatchObject({ code: 'ERR_SSE_CHANNEL_NAME' })
  })

  it('begins a new log where it has less than a server knows, and tells every server', async () => {
    const [a, b] = [create({ beacon: 20 }), create({ beacon: 20 })]
    const sinks = [sink(), sink()]
    for (const [index, broker] of [a, b].entries()) await broker.attach(['a'], sinks[index] as BrokerSink)
    for (const data of ['1', '2', '3']) await a.publish('a', event(data), AMPLE)
    const before = await a.read(['a'], undefined)
    await b.read(['a'], undefined)
    await client.hSet(`{${prefix}}:meta`, 'g', 1)
    await until(() => sinks.every(({ reset }) => vi.mocked(reset).mock.calls.length === 1))
    const readings = await Promise.all([a, b].map((broker) => broker.read(['a'], undefined)))
    expect(new Set(readings.map(({ epoch }) => epoch)).size).toBe(1)
    expect((readings[0]?.epoch ?? '') > before.epoch).toBe(true)
    // What was read before stands still.
    await a.publish('a', event('4'), AMPLE)
    expect(before.histories.get('a')?.head.g).toBe(3)
  })

  const reads = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
})
