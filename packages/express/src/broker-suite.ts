import assert from 'node:assert/strict'
import type { Broker, BrokerSink } from './broker.ts'
import { parseCursor } from './cursor.ts'
import type { Entry, Message } from './entry.ts'
import type { History, Retention } from './history.ts'

/** One behaviour that every broker has. */
export interface BrokerCase {
  readonly name: string
  /**
   * @param create - makes a broker with a log of its own, empty
   * @throws AssertionError where the broker behaves otherwise
   */
  run(create: () => Broker | Promise<Broker>): Promise<void>
}

/** More than any case publishes. */
const AMPLE: Retention = { length: 1_000, bytes: 1_000_000, age: 3_600_000 }

const event = (data: string, key?: string): Message => ({ kind: 'event', event: 'news', data, key })

const brokerCase = (name: string, check: (broker: Broker) => Promise<void>): BrokerCase => ({
  name,
  async run(create) {
    const broker = await create()
    try {
      await check(broker)
    } finally {
      await broker.close()
    }
  },
})

/**
 * What a broker has to do, as a plain list for any test runner.
 *
 * @example
 * for (const { name, run } of brokerSuite) it(name, () => run(() => myBroker()))
 */
export const brokerSuite: readonly BrokerCase[] = [
  brokerCase('gives rising positions, whatever the channel', async (broker) => {
    const positions: number[] = []
    for (const channel of ['a', 'b', 'a', 'c']) {
      positions.push(position(await broker.publish(channel, event('1'), AMPLE)))
    }
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    )
    assert.equal(new Set(positions).size, positions.length)
  }),

  brokerCase('keeps the order of the calls of one turn', async (broker) => {
    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, n) => broker.publish('a', event(String(n)), AMPLE)),
    )
    const positions = ids.map(position)
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    )
  }),

  brokerCase('tells an attached sink of every entry, in order', async (broker) => {
    const sink = recorder()
    await broker.attach(['a'], sink)
    const history = await historyOf(broker, 'a')
    for (const data of ['1', '2', '3']) await broker.publish('a', event(data), AMPLE)
    await until(() => entriesOf(history).length === 3)
    assert.deepEqual(entriesOf(history).map(dataOf), ['1', '2', '3'])
    assert.ok(sink.heard.includes('a'))
  }),

  brokerCase('has what was published before anyone attached', async (broker) => {
    await broker.publish('a', event('1'), AMPLE)
    await broker.attach(['a'], recorder())
    assert.deepEqual(entriesOf(await historyOf(broker, 'a')).map(dataOf), ['1'])
  }),

  brokerCase('tells every sink', async (broker) => {
    const sinks = [recorder(), recorder()]
    for (const sink of sinks) await broker.attach(['a'], sink)
    await broker.publish('a', event('1'), AMPLE)
    await until(() => sinks.every(({ heard }) => heard.length > 0))
  }),

  brokerCase('tells a detached sink no more, and the others still', async (broker) => {
    const [left, stays] = [recorder(), recorder()]
    await broker.attach(['a'], left)
    await broker.attach(['a'], stays)
    broker.detach('a', left)
    await broker.publish('a', event('1'), AMPLE)
    await until(() => stays.heard.length > 0)
    assert.deepEqual(left.heard, [])
  }),

  brokerCase('tells a sink of its own channels alone, however their names look', async (broker) => {
    const sink = recorder()
    const names = [
      'user:1',
      'user:*',
      'user:?',
      'user:[1]',
      'user',
      'user:1:x',
      'USER:1',
      'user:\u0661',
      'user:1 ',
    ]
    await broker.attach(['user:1'], sink)
    for (const name of names.slice(1)) await broker.publish(name, event('no'), AMPLE)
    await broker.publish('user:1', event('yes'), AMPLE)
    await until(() => sink.heard.length > 0)
    assert.deepEqual(new Set(sink.heard), new Set(['user:1']))
    assert.deepEqual(entriesOf(await historyOf(broker, 'user:1')).map(dataOf), ['yes'])
  }),

  brokerCase('reads several channels at once, and the head of the whole log', async (broker) => {
    await broker.attach(['a', 'b', 'never'], recorder())
    await broker.publish('a', event('1'), AMPLE)
    const last = position(await broker.publish('b', event('2'), AMPLE))
    const { head, histories } = await broker.read(['a', 'b', 'never'], undefined)
    assert.equal(head, last)
    assert.deepEqual([...histories.keys()].sort(), ['a', 'b', 'never'])
    assert.equal(histories.get('never')?.length, 0)
    assert.equal(histories.get('never')?.evicted, 0)
  }),

  brokerCase('gives ids of the epoch that it reads', async (broker) => {
    const id = await broker.publish('a', event('1'), AMPLE)
    assert.equal(parseCursor(id)?.epoch, (await broker.read([], undefined)).epoch)
  }),

  brokerCase('knows how far a quiet channel is complete', async (broker) => {
    await broker.attach(['a', 'quiet'], recorder())
    const quiet = await historyOf(broker, 'quiet')
    const last = position(await broker.publish('a', event('1'), AMPLE))
    await until(() => quiet.head.g >= last)
  }),

  brokerCase('keeps at most the length that was asked for, and says what it dropped', async (broker) => {
    await broker.attach(['a'], recorder())
    const history = await historyOf(broker, 'a')
    const ids: string[] = []
    for (const data of ['1', '2', '3', '4']) {
      ids.push(await broker.publish('a', event(data), { ...AMPLE, length: 2 }))
    }
    await until(() => entriesOf(history).at(-1)?.g === position(ids[3]))
    assert.deepEqual(entriesOf(history).map(dataOf), ['3', '4'])
    assert.equal(history.evicted, position(ids[1]))
  }),

  brokerCase('keeps the newest of each state, exempt from the length', async (broker) => {
    await broker.attach(['a'], recorder())
    const history = await historyOf(broker, 'a')
    await broker.publish('a', event('x1', 'x'), AMPLE)
    await broker.publish('a', event('y1', 'y'), AMPLE)
    const last = await broker.publish('a', event('x2', 'x'), AMPLE)
    await until(() => entriesOf(history).at(-1)?.g === position(last))
    assert.deepEqual(entriesOf(history).map(dataOf), ['y1', 'x2'])
    assert.equal(history.evicted, 0)
  }),

  brokerCase('forgets a state that was removed, and keeps word of it', async (broker) => {
    await broker.attach(['a'], recorder())
    const history = await historyOf(broker, 'a')
    await broker.publish('a', event('x1', 'x'), AMPLE)
    const last = await broker.publish('a', { kind: 'remove', event: 'news', key: 'x' }, AMPLE)
    await until(() => entriesOf(history).at(-1)?.g === position(last))
    assert.deepEqual(entriesOf(history).map(dataOf), ['{"event":"news","key":"x"}'])
  }),

  brokerCase('ends a channel once, and refuses what comes after', async (broker) => {
    await broker.attach(['a'], recorder())
    const history = await historyOf(broker, 'a')
    await broker.publish('a', event('1'), AMPLE)
    await broker.publish('a', { kind: 'end', reason: 'done' }, AMPLE)
    await until(() => history.end !== undefined)
    assert.equal(history.end?.end, 'done')
    await assert.rejects(broker.publish('a', event('2'), AMPLE), {
      code: 'ERR_SSE_CHANNEL_ENDED',
      status: 409,
    })
  }),

  brokerCase('refuses it on one line, whatever the name', async (broker) => {
    await broker.publish('a\n[info] b', { kind: 'end', reason: 'done' }, AMPLE)
    await assert.rejects(broker.publish('a\n[info] b', event('1'), AMPLE), {
      message: String.raw`The channel "a\n[info] b" has ended: publish on another one.`,
    })
  }),

  brokerCase('carries any text unchanged', async (broker) => {
    await broker.attach(['a'], recorder())
    const history = await historyOf(broker, 'a')
    const texts = ['', ' leading', '\u0000', '\u2028', '\u{1f600}', 'a'.repeat(10_000)]
    for (const data of texts) await broker.publish('a', event(data), AMPLE)
    await until(() => entriesOf(history).length === texts.length)
    assert.deepEqual(entriesOf(history).map(dataOf), texts)
  }),

  brokerCase(
    'has all hubs but the one that asks end their connections, where it reaches others',
    async (broker) => {
      const [asks, others, absent] = [recorder(), [recorder(), recorder()], recorder()]
      for (const sink of [asks, ...others]) await broker.attach(['a'], sink)
      await broker.attach(['b'], absent)
      if (broker.elsewhere === undefined) return
      await broker.elsewhere.disconnect('a', asks)
      await until(() => others.every(({ disconnected }) => disconnected.length > 0))
      assert.deepEqual(
        [asks, absent].flatMap(({ disconnected }) => disconnected),
        [],
      )
      assert.deepEqual(
        others.map(({ disconnected }) => disconnected),
        [['a'], ['a']],
      )
    },
  ),

  brokerCase(
    'counts the readers of all hubs but the one that asks, where it reaches others',
    async (broker) => {
      const asks = recorder(1)
      await broker.attach(['a', 'b'], asks)
      await broker.attach(['a'], recorder(2))
      await broker.attach(['a'], recorder(3))
      const { elsewhere } = broker
      if (elsewhere === undefined) return
      await until(() => elsewhere.size('a', asks) === 5)
      assert.equal(elsewhere.size('b', asks), 0)
    },
  ),

  {
    name: 'refuses everything once it is closed',
    async run(create) {
      const broker = await create()
      await broker.close()
      await assert.rejects(broker.publish('a', event('1'), AMPLE), { code: 'ERR_SSE_BROKER', status: 503 })
      await assert.rejects(async () => broker.attach(['a'], recorder()), {
        code: 'ERR_SSE_BROKER',
        status: 503,
      })
    },
  },
]

/** A sink that records what it is told, with a fixed number of readers on every channel. */
function recorder(readers = 0): BrokerSink & { readonly heard: string[]; readonly disconnected: string[] } {
  const heard: string[] = []
  const disconnected: string[] = []
  return {
    heard,
    disconnected,
    changed: (channel) => void heard.push(channel),
    beforeEviction() {},
    reset() {},
    size: () => readers,
    disconnect: (channel) => void disconnected.push(channel),
  }
}

async function historyOf(broker: Broker, channel: string): Promise<History> {
  const { histories } = await broker.read([channel], undefined)
  const history = histories.get(channel)
  assert.ok(history, `read() answers for ${channel}`)
  return history
}

function entriesOf(history: History): readonly Entry[] {
  const entries: Entry[] = []
  for (let index = history.indexAfter(0); ; index++) {
    const entry = history.at(index)
    if (entry === undefined) return entries
    if (!entry.gone && entry.end === undefined) entries.push(entry)
  }
}

/** The value of an entry's one data line. */
const dataOf = ({ frame }: Entry): string => {
  const text = frame.toString()
  return text.slice(text.indexOf('data: ') + 'data: '.length, -2)
}

function position(id: string | undefined): number {
  const cursor = parseCursor(id ?? '')
  assert.ok(cursor, `${id} is an id`)
  return cursor.g
}

/** Waits for a broker that works across processes, but not for ever. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!holds()) {
    assert.ok(Date.now() < deadline, `within 5 s: ${holds}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
