import { missing, RedisServer } from '@sse/test-redis'
import { EventSource } from 'eventsource'
import { beforeAll, describe, it, onTestFinished, vi } from 'vitest'
import type { Setting } from './scenario.ts'
import { seeds } from './seeds.ts'
import { World } from './world.ts'

beforeAll(() => {
  vi.stubGlobal('EventSource', EventSource)
})

describe.skipIf(missing)('three servers on one Redis keep the promise', () => {
  async function run(seed: number, setting: Setting): Promise<void> {
    const redis = await RedisServer.start()
    onTestFinished(() => redis.remove())
    const world = new World(seed, setting, redis)
    onTestFinished(() => world.stop())
    await world.keepsThePromise()
  }

  it.each(seeds([1, 2, 3]))('whatever goes wrong (seed %i)', (seed) => run(seed, 'redis'))

  it.each(seeds([4, 5]))('also when Redis loses its data (seed %i)', (seed) => run(seed, 'lossy redis'))
})
