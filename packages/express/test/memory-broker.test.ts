import { type Broker, type BrokerSink, type Message, memoryBroker, type Retention } from '@sse/express'
import { describe, expect, it, vi } from 'vitest'
import { parseCursor } from '../src/cursor.ts'

const RETENTION: Retention = { length: 100, bytes: 100_000, age: 1_000 }
const sink = (): BrokerSink => ({
  changed: vi.fn(),
  beforeEviction: vi.fn(),
  reset: vi.fn(),
  size: () => 0,
  disconnect: vi.fn(),
})
const event = (data = '0'): Message => ({ kind: 'event', event: 'n', data, key: undefined })

const historyOf = async (broker: Broker, channel: string) => {
  const { histories } = await broker.read([channel], undefined)
  const history = histories.get(channel)
  if (history === undefined) throw new Error('no history')
  return history
}

describe('options', () => {
  it('are refused that cannot be meant', () => {
    expect(() => memoryBroker({ size: 5 } as never)).toThrow(/no option size: .*idleChannels/)
    expect(() => memoryBroker({ bytes: '1' as never })).toThrow(/bytes must be a number/)
    expect(() => memoryBroker({ idleChannels: -1 })).toThrow(/idleChannels must be a number of at least 0/)
  })
})

describe('positions', () => {
  it('rise with every publish, over all channels', async () => {
    const broker = memoryBroker()
    const ids = [
      await broker.publish('a', event(), RETENTION),
      await broker.publish('b', event(), RETENTION),
      await broker.publish('a', event(), RETENTION),
    ]
    expect(ids.map((id) => parseCursor(id)?.g)).toEqual([1, 2, 3])
    expect(new Set(ids.map((id) => parseCursor(id)?.epoch)).size).toBe(1)
  })

  it('keep their order when the clock jumps', async () => {
    let now = 1_000_000
    const broker = memoryBroker({ now: () => now })
    await broker.attach(['a'], sink())
    await broker.publish('a', event('1'), RETENTION)
    now -= 500_000
    await broker.publish('a', event('2'), RETENTION)
    now += 500_000
    await broker.publish('a', event('3'), RETENTION)
    const history = await historyOf(broker, 'a')
    const positions = [0, 1, 2].map((index) => history.at(index)?.g).filter((g) => g !== undefined)
    expect(positions).toEqual([...positions].sort())
    expect(positions.at(-1)).toBe(3)
  })

  it('are of another epoch in every broker', async () => {
    const epochs = await Promise.all(
      Array.from({ length: 20 }, async () => (await memoryBroker().read([], undefined)).epoch),
    )
    expect(new Set(epochs).size).toBe(20)
  })
})

describe('a sink', () => {
  it('hears of its channels alone, and before anything is dropped that it may not have offered yet', async () => {
    const broker = memoryBroker()
    const mine = sink()
    await broker.attach(['a'], mine)
    await broker.publish('b', event(), RETENTION)
    expect(mine.changed).not.toHaveBeenCalled()
    await broker.publish('a', event(), { ...RETENTION, length: 1 })
    expect(mine.changed).toHaveBeenCalledWith('a')
    expect(mine.beforeEviction).not.toHaveBeenCalled()
    await broker.publish('a', event(), { ...RETENTION, length: 1 })
    expect(mine.beforeEviction).toHaveBeenCalledTimes(1)
  })

  it('may publish when it is told to hurry: no two entries have one position, and none is lost', async () => {
    const broker = memoryBroker()
    const mine = sink()
    const said: Promise<string>[] = []
    vi.mocked(mine.beforeEviction).mockImplementationOnce(() => {
      said.push(broker.publish('b', event('b'), RETENTION), broker.publish('a', event('a'), RETENTION))
    })
    await broker.attach(['a', 'b'], mine)
    const one = { ...RETENTION, length: 1 }
    await broker.publish('a', event(), one)
    said.push(broker.publish('a', event('last'), one))
    expect((await Promise.all(said)).map((id) => parseCursor(id)?.g)).toEqual([2, 3, 4])
    const history = await historyOf(broker, 'a')
    expect(history).toMatchObject({ evicted: 3, last: 4, length: 1 })
  })

  it('may end a channel that is published on when it is told to hurry', async () => {
    const broker = memoryBroker()
    const mine = sink()
    await broker.attach(['a'], mine)
    const one = { ...RETENTION, length: 1 }
    await broker.publish('a', event(), one)
    let ended: Promise<string> | undefined
    vi.mocked(mine.beforeEviction).mockImplementationOnce(() => {
      ended = broker.publish('a', { kind: 'end', reason: 'done' }, RETENTION)
    })
    await expect(broker.publish('a', event(), one)).rejects.toMatchObject({ code: 'ERR_SSE_CHANNEL_ENDED' })
    expect(parseCursor((await ended) ?? '')?.g).toBe(2)
  })

  it('hears nothing more once it is detached', async () => {
    const broker = memoryBroker()
    const mine = sink()
    await broker.attach(['a'], mine)
    await broker.attach(['a'], mine)
    broker.detach('a', mine)
    await broker.publish('a', event(), RETENTION)
    expect(mine.changed).not.toHaveBeenCalled()
  })
})

describe('forgetting', () => {
  it('lets channels go that nobody reads once they are old, and marks new ones with what they may have been', async () => {
    let now = 0
    const broker = memoryBroker({ now: () => now })
    await broker.publish('a', event(), RETENTION)
    now = 5_000
    await broker.publish('b', event(), RETENTION)
    await broker.attach(['a'], sink())
    const again = await historyOf(broker, 'a')
    expect(again.length).toBe(0)
    expect(again.evicted).toBe(1)
  })

  it('spares a channel with a reader', async () => {
    const broker = memoryBroker({ idleChannels: 2 })
    await broker.attach(['read'], sink())
    await broker.publish('read', event(), RETENTION)
    for (let n = 0; n < 10; n++) await broker.publish(`idle${n}`, event(), RETENTION)
    expect((await historyOf(broker, 'read')).length).toBe(1)
  })

  it('keeps at most so many idle channels, the latest used', async () => {
    const broker = memoryBroker({ idleChannels: 2 })
    for (const name of ['a', 'b', 'c', 'a']) await broker.publish(name, event(), RETENTION)
    await broker.attach(['a', 'b', 'c'], sink())
    const lengths = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => (await historyOf(broker, name)).length),
    )
    expect(lengths[1]).toBe(0)
    expect(lengths[2]).toBe(1)
  })
})

describe('bytes', () => {
  it('of all channels together stay within their bound, the largest paying for it', async () => {
    const broker = memoryBroker({ bytes: 100_000 })
    const reading = sink()
    await broker.attach(['small', 'large'], reading)
    await broker.publish('small', event(), RETENTION)
    const generous = { ...RETENTION, bytes: 10_000_000, length: 10_000 }
    for (let n = 0; n < 500; n++) await broker.publish('large', event('x'.repeat(1_000)), generous)
    const [small, large] = await Promise.all(['small', 'large'].map((name) => historyOf(broker, name)))
    expect(small?.length).toBe(1)
    expect((small?.bytes ?? 0) + (large?.bytes ?? 0)).toBeLessThanOrEqual(100_000)
    expect(large?.evicted).toBeGreaterThan(0)
    expect(reading.beforeEviction).toHaveBeenCalled()
  })
})

describe('idle channels', () => {
  const state: Message = { kind: 'event', event: 's', data: '0', key: '' }

  it('that hold states are kept when logs that have grown old are in the way', async () => {
    let now = 1_000_000
    const broker = memoryBroker({ idleChannels: 3, now: () => now })
    await broker.publish('settings', state, RETENTION)
    for (let n = 0; n < 4; n++) {
      await broker.publish(`answer:${n}`, event(), RETENTION)
      await broker.publish(`answer:${n}`, { kind: 'end', reason: 'done' }, RETENTION)
      now += 2 * RETENTION.age
    }
    expect((await historyOf(broker, 'settings')).length).toBe(1)
  })

  it('that were only ever joined push out none that holds something', async () => {
    const broker = memoryBroker({ idleChannels: 3 })
    await broker.publish('news', event(), RETENTION)
    const reading = sink()
    for (let n = 0; n < 4; n++) {
      await broker.attach([`empty${n}`], reading)
      broker.detach(`empty${n}`, reading)
    }
    expect((await historyOf(broker, 'news')).length).toBe(1)
  })
})

describe('a closed broker', () => {
  it('refuses everything', async () => {
    const broker = memoryBroker()
    await broker.close()
    await expect(broker.publish('a', event(), RETENTION)).rejects.toMatchObject({ code: 'ERR_SSE_BROKER' })
    await expect(broker.attach(['a'], sink())).rejects.toMatchObject({ code: 'ERR_SSE_BROKER' })
  })
})
