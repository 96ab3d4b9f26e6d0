import {
  type Broker,
  type BrokerSink,
  type Entry,
  type History,
  type Message,
  memoryBroker,
} from '@sse/express'
import { type Client, missing, RedisServer } from '@sse/test-redis'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisBroker } from '../src/index.ts'
import { encodePublication } from '../src/publication.ts'
import { Store } from '../src/store.ts'
import { until } from './cluster.ts'

const sink: BrokerSink = { changed() {}, beforeEviction() {}, reset() {}, size: () => 0, disconnect() {} }

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('event' as const),
    event: fc.constantFrom('a', 'é'),
    data: fc.oneof(fc.string(), fc.constant('\n'), fc.constant('x'.repeat(300))),
    key: fc.constant(undefined),
  }),
  fc.record({
    kind: fc.constant('event' as const),
    event: fc.constantFrom('a', 'b'),
    data: fc.string({ unit: 'grapheme' }),
    key: fc.constantFrom('', 'k', 'l 1'),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    event: fc.constantFrom('a', 'b'),
    key: fc.constantFrom('', 'k', 'l 1'),
  }),
)

const retention = fc.record({
  length: fc.constantFrom(0, 1, 3, 100),
  bytes: fc.oneof(fc.constantFrom(0, 120, 1_000_000), fc.integer({ min: 100, max: 700 })),
  age: fc.constant(3_600_000),
})

/** What is said several times over is published in one piece. */
const publications = fc
  .array(
    fc.record({
      channel: fc.constantFrom('one', 'two'),
      message,
      retention,
      times: fc.integer({ min: 1, max: 8 }),
    }),
    {
      maxLength: 30,
    },
  )
  .map((all) => all.flatMap(({ times, ...publication }) => Array.from({ length: times }, () => publication)))

/** How many are published in one call: an entry of the stream may lose its first events in one call, and more in another. */
const together = fc.constantFrom(1, 3, 10, 1_000)

describe.skipIf(missing)('the log in Redis', () => {
  let server: RedisServer
  let client: Client
  let logs = 0

  beforeAll(async () => {
    server = await RedisServer.start()
    client = await server.connect()
  })
  afterAll(async () => {
    client.destroy()
    await server.remove()
  })

  it('keeps and drops what the log in memory does, for who was there and for who comes late', async () => {
    await fc.assert(
      fc.asyncProperty(publications, together, async (all, count) => {
        const prefix = `log-${++logs}`
        const reference = memoryBroker()
        const brokers = [reference, redisBroker({ client, prefix }), redisBroker({ client, prefix })]
        const [, writer, late] = brokers
        const early = await Promise.all([reference, writer].map((broker) => historiesOf(broker)))
        for (const broker of [reference, writer]) {
          for (let start = 0; start < all.length; start += count) {
            const published = all
              .slice(start, start + count)
              .map(({ channel, message, retention }) => broker?.publish(channel, message, retention))
            await Promise.all(published)
          }
        }
        const expected = early[0]?.map(contentOf)
        const live = early[1]
        await until(() => live?.every(({ head }) => head.g >= all.length) ?? false)
        expect(live?.map(contentOf)).toEqual(expected)
        expect((await historiesOf(late)).map(contentOf)).toEqual(expected)
        await Promise.all(brokers.map((broker) => broker.close()))
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it.each([
    ['events', undefined],
    ['events with a state', 'k'],
  ])('counts the %s that it keeps to the byte, also where ids grow longer', async (_, key) => {
    for (let bytes = 100; bytes < 150; bytes++) {
      const prefix = `log-${++logs}`
      const brokers = [memoryBroker(), redisBroker({ client, prefix })]
      const contents = brokers.map(async (broker) => {
        const message: Message = { kind: 'event', event: 'a', data: '', key: undefined }
        const keep = { length: 100, bytes, age: 60_000 }
        // The last ids are those with a digit more.
        const published = Array.from({ length: 37 }, (_, n) =>
          broker.publish('one', { ...message, key: n === 33 ? key : undefined }, keep),
        )
        await Promise.all(published)
        return (await historiesOf(broker)).map(contentOf)
      })
      const [expected, stored] = await Promise.all(contents)
      expect(stored).toEqual(expected)
      await Promise.all(brokers.map((broker) => broker.close()))
    }
  })

  it('takes nothing from a call that arrives after the next one: nobody waits for it any more', async () => {
    const store = new Store(`log-${++logs}`, { learned() {}, abandoned() {} })
    const publish = async (sequence: number): Promise<void> => {
      const message: Message = { kind: 'event', event: 'a', data: String(sequence), key: undefined }
      const keep = { length: 10, bytes: 10_000, age: 60_000 }
      await store.publish(client, 'publisher', sequence, [encodePublication('one', message, keep)])
    }
    for (const sequence of [1, 3, 2, 4]) await publish(sequence)
    const { answers } = await store.read(client, [{ channel: 'one', after: undefined }], undefined)
    expect(answers[0]?.entries.map(({ frame }) => /data: (.*)/.exec(String(frame))?.[1])).toEqual([
      '1',
      '3',
      '4',
    ])
  })

  it('gives all that is left to who lacks something of it, also states that he had', async () => {
    const store = new Store(`log-${++logs}`, { learned() {}, abandoned() {} })
    for (const [index, key] of ['k', undefined, undefined, undefined].entries()) {
      const message: Message = { kind: 'event', event: 'a', data: '', key }
      const keep = { length: 1, bytes: 10_000, age: 60_000 }
      await store.publish(client, 'publisher', index, [encodePublication('one', message, keep)])
    }
    const answerTo = async (after: number) =>
      (await store.read(client, [{ channel: 'one', after }], undefined)).answers[0]
    const positions = async (after: number) => (await answerTo(after))?.entries.map(({ g }) => g)
    expect(await answerTo(2)).toMatchObject({ whole: true, evicted: 3 })
    expect(await positions(2)).toEqual([1, 4])
    expect(await answerTo(3)).toMatchObject({ whole: false })
    expect(await positions(3)).toEqual([4])
  })

  it('has a name that sorts after all that were known, whatever the clock of Redis says', async () => {
    const store = new Store(`log-${++logs}`, { learned() {}, abandoned() {} })
    const nameOf = async () => (await store.read(client, [], undefined)).known.epoch
    // As heard of a log that is lost since, of a time to come.
    const lost = 'n0000000zzzzz'
    expect((await nameOf()) < lost).toBe(true)
    store.observe({ epoch: lost, run: 'run', g: 1 })
    expect((await nameOf()) > lost).toBe(true)
  })

  it('ends a channel once, whoever has said so', async () => {
    const prefix = `log-${++logs}`
    const [a, b] = [redisBroker({ client, prefix }), redisBroker({ client, prefix })]
    const keep = { length: 10, bytes: 10_000, age: 60_000 }
    await a.publish('one', { kind: 'event', event: 'a', data: '1', key: 'k' }, keep)
    await a.publish('one', { kind: 'end', reason: 'two words\nand a line' }, keep)
    const [one] = await historiesOf(b)
    expect(one?.end?.end).toBe('two words\nand a line')
    await expect(b.publish('one', { kind: 'end', reason: 'again' }, keep)).rejects.toMatchObject({
      code: 'ERR_SSE_CHANNEL_ENDED',
    })
    await Promise.all([a.close(), b.close()])
  })
})

async function historiesOf(broker: Broker | undefined): Promise<readonly History[]> {
  await broker?.attach(['one', 'two'], sink)
  const reading = await broker?.read(['one', 'two'], undefined)
  return [...(reading?.histories.values() ?? [])]
}

/** What readers would get of a log, without what differs between any two logs: the epoch. */
function contentOf(history: History): unknown {
  const entries: Entry[] = []
  for (let index = 0; ; index++) {
    const entry = history.at(index)
    if (entry === undefined) break
    if (!entry.gone) entries.push(entry)
  }
  return {
    evicted: history.evicted,
    entries: entries.map(({ body, frame, g, subject }) => [g, subject, frame.subarray(body).toString()]),
  }
}
