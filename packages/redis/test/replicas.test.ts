import { createEntry } from '@sse/express'
import { describe, expect, it } from 'vitest'
import type { Note } from '../src/message.ts'
import { Replica } from '../src/replica.ts'
import { Replicas } from '../src/replicas.ts'

/** Copies of an empty channel, and a Redis that says where the log stands. */
function copies(epoch: string) {
  const redis = { epoch, g: 5, run: 'r', asked: 0 }
  const calls: number[] = []
  const replicas = new Replicas({
    async read(questions) {
      redis.asked += 1
      calls.push(questions.length)
      replicas.learn(redis.epoch)
      const answer = { whole: true, last: 0, origin: 0, evicted: 0, age: 1_000, entries: [] }
      return { known: { ...redis }, answers: questions.map(() => answer), skips: [] }
    },
    hears: () => true,
    now: () => 0,
    timeout: 1_000,
  })
  replicas.learn(epoch)
  replicas.add('a')
  replicas.regained()
  return { calls, redis, replicas }
}

describe('the copies of a server that has not heard of a new log yet', () => {
  it('are not what a reader gets who has read that one elsewhere', async () => {
    const { redis, replicas } = copies('e1')
    await replicas.read(['a'], undefined, undefined)
    replicas.hearBeacon('e1', 5)
    redis.epoch = 'e2'
    redis.g = 2
    expect((await replicas.read(['a'], 1, 'e2')).epoch).toBe('e2')
  })

  it('are what others get, and Redis is not asked', async () => {
    const { redis, replicas } = copies('e1')
    await replicas.read(['a'], undefined, undefined)
    replicas.hearBeacon('e1', 5)
    const { asked } = redis
    for (const epoch of ['e0', 'e1']) expect((await replicas.read(['a'], 1, epoch)).epoch).toBe('e1')
    expect(redis.asked).toBe(asked)
  })
})

describe('the copies of a server that hears of a former log', () => {
  it('stand still: its positions are others', async () => {
    const { replicas } = copies('e2')
    await replicas.read(['a'], undefined, undefined)
    replicas.hearBeacon('e2', 5)
    const retention = { length: 10, bytes: 10_000, age: 1_000 }
    replicas.hear('b', { epoch: 'e1', run: 'r', previous: 0, g: 9, entries: [], retention })
    replicas.hearBeacon('e1', 9)
    expect((await replicas.read(['a'], 1, 'e2')).head).toBe(5)
  })
})

describe('copies that are new', () => {
  it('are read some at a time: a call holds up all of Redis for as long as it takes', async () => {
    const { calls, replicas } = copies('e1')
    const channels = Array.from({ length: 25 }, (_, n) => `c${n}`)
    for (const channel of channels) replicas.add(channel)
    calls.length = 0
    const { histories } = await replicas.read(channels, undefined, undefined)
    expect(calls).toEqual([10, 10, 5])
    expect(histories.size).toBe(25)
  })
})

describe('copies that are read on', () => {
  /** As many channels as make three calls, which Redis answers when it is told to. */
  async function returning() {
    const asked: { readonly channels: number; readonly answer: (known?: Error) => void }[] = []
    const redis = { epoch: 'e1', g: 5, run: 'r' }
    let prompt = true
    const replicas = new Replicas({
      read: (questions) =>
        new Promise((resolve, reject) => {
          const answers = questions.map(() => EMPTY)
          const answer = (failure?: Error): void =>
            failure ? reject(failure) : resolve({ known: { ...redis }, answers, skips: [] })
          if (prompt) answer()
          else asked.push({ channels: questions.length, answer })
        }),
      hears: () => true,
      now: () => 0,
      timeout: 1_000,
    })
    replicas.learn('e1')
    const channels = Array.from({ length: 25 }, (_, n) => `c${n}`)
    for (const channel of channels) replicas.add(channel)
    replicas.regained()
    await replicas.read(channels, undefined, undefined)
    replicas.hearBeacon('e1', 5)
    prompt = false
    return { asked, redis, replicas }
  }
  const EMPTY = { whole: true, last: 0, origin: 0, evicted: 0, age: 1_000, entries: [] }

  it('are asked for call by call, so that each has the time of one', async () => {
    const { asked, replicas } = await returning()
    replicas.regained()
    for (const [call, channels] of [10, 10, 5].entries()) {
      await expect.poll(() => asked.length).toBe(call + 1)
      expect(asked.at(-1)?.channels).toBe(channels)
      asked.at(-1)?.answer()
    }
    await new Promise(setImmediate)
    expect(asked).toHaveLength(3)
  })

  it('stand still where the connection is lost before the last answer', async () => {
    const { asked, replicas } = await returning()
    replicas.regained()
    for (const call of [0, 1, 2]) {
      await expect.poll(() => asked.length).toBe(call + 1)
      if (call === 2) replicas.lost()
      asked.at(-1)?.answer()
    }
    await new Promise(setImmediate)
    replicas.hearBeacon('e1', 9)
    expect((await replicas.read(['c0'], 5, 'e1')).head).toBe(5)
  })

  it('go no further than one that was read meanwhile', async () => {
    const { asked, redis, replicas } = await returning()
    replicas.regained()
    replicas.add('new')
    const reading = replicas.read(['new'], undefined, undefined)
    await expect.poll(() => asked.length).toBe(2)
    asked[1]?.answer()
    expect((await reading).head).toBe(5)
    redis.g = 9
    asked[0]?.answer()
    for (const call of [2, 3]) {
      await expect.poll(() => asked.length).toBe(call + 1)
      asked[call]?.answer()
    }
    await new Promise(setImmediate)
    expect((await replicas.read(['c0'], 5, 'e1')).head).toBe(5)
    replicas.hearBeacon('e1', 9)
    expect((await replicas.read(['c0'], 5, 'e1')).head).toBe(9)
  })

  it('keep what is heard from the asking on, and no longer', () => {
    const note = (g: number): Note => ({
      epoch: 'e1',
      run: 'r',
      g,
      previous: g - 1,
      entries: [createEntry({ kind: 'event', event: 'n', data: String(g), key: undefined }, 'e1', g, 0)],
      retention: { length: 10, bytes: 10_000, age: 1_000 },
    })
    const copy = new Replica('a')
    copy.buffer()
    copy.hear(note(6), () => {})
    copy.buffer()
    copy.install({ ...EMPTY, last: 5 }, { g: 6 })
    expect(copy.history?.length).toBe(0)
    copy.buffer()
    copy.hear(note(6), () => {})
    copy.install({ ...EMPTY, last: 5 }, { g: 6 })
    expect(copy.history?.length).toBe(1)
  })

  it('know where their channel stands, also where nothing of it is left', () => {
    const copy = new Replica('a')
    copy.install({ ...EMPTY, last: 80, evicted: 80 }, { g: 80 })
    expect(copy.history).toMatchObject({ length: 0, last: 80 })
  })
})
