import { EventSource } from 'eventsource'
import { beforeAll, describe, it, onTestFinished, vi } from 'vitest'
import { seeds } from './seeds.ts'
import { World } from './world.ts'

beforeAll(() => {
  vi.stubGlobal('EventSource', EventSource)
})

describe('one server that keeps its log in memory keeps the promise', () => {
  it.each(seeds([1, 2, 3]))('whatever goes wrong (seed %i)', async (seed) => {
    const world = new World(seed, 'memory')
    onTestFinished(() => world.stop())
    await world.keepsThePromise()
  })
})
