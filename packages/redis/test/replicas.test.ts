import { describe, expect, it } from 'vitest'
import { Replicas } from '../src/replicas.ts'

/** Copies of an empty channel, and a Redis that says where the log stands. */
function copies(epoch: string) {
  const redis = { epoch, g: 5, run: 'r', asked: 0 }
  const replicas = new Replicas({
    async read(questions) {
      redis.asked += 1
      replicas.learn(redis.epoch)
      const answer = { whole: true, last: 0, origin: 0, evicted: 0, age: 1_000, entries: [] }
      return { known: { ...redis }, answers: questions.map(() => answer) }
    },
    hears: () => true,
    now: () => 0,
    timeout: 1_000,
  })
  replicas.learn(epoch)
  replicas.add('a')
  replicas.regained()
  return { redis, replicas }
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
