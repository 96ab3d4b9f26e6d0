import { describe, expect, it } from 'vitest'
import { memoryBroker, sse } from '../../src/index.ts'
import { type Settings, type Step, World } from './world.ts'

const keeps = { length: 1_000, bytes: 1_000_000, age: 300_000 }
const settings: Omit<Settings, 'straight' | 'prompt'> = {
  answers: undefined,
  keeps: { a: keeps, b: keeps, c: keeps },
  idleChannels: 10_000,
  highWaterMark: 16_384,
}

const connect = (reader: number, ...channels: string[]): Step => {
  return { do: 'connect', reader, coming: { with: 'nothing' }, channels, last: 0, greeted: false }
}
const publish = (channel: string): Step => ({ do: 'publish', channel, key: undefined, size: 0 })
const leave = (reader: number, channel: string): Step => ({ do: 'leave', reader, channel })
const rest: Step = { do: 'rest' }

/** Histories of the world that went wrong once, as small as they were found. */
const histories: Readonly<Record<string, readonly Step[]>> = {
  'a reader who leaves every channel before it is live is told that it is live': [
    connect(0, 'c'),
    publish('a'),
    { do: 'yield' },
    { do: 'yield' },
    leave(0, 'c'),
  ],
  'a stream ends when the only channel that had not ended is left': [
    connect(0, 'b'),
    { do: 'join', reader: 0, channels: ['a'], last: 0 },
    { do: 'end', channel: 'a' },
    rest,
    leave(0, 'b'),
  ],
  'a stream that is over leaves nothing for the others who are still there': [
    connect(1, 'c'),
    connect(0, 'c'),
    { do: 'close', reader: 0 },
    rest,
    leave(0, 'c'),
    { do: 'remove', channel: 'c', key: 'x' },
  ],
  'a channel is left also while it is being joined': [
    connect(0, 'a', 'b'),
    leave(0, 'a'),
    rest,
    publish('a'),
    publish('b'),
  ],
  'a private event comes though the channel published before it was left': [
    connect(0, 'a'),
    rest,
    publish('a'),
    { do: 'send', reader: 0 },
    leave(0, 'a'),
  ],
}

describe('the promise holds where it was once broken', () => {
  it.each(Object.entries(histories))('%s', async (_name, steps) => {
    for (const straight of [false, true]) {
      for (const prompt of [false, true]) {
        const world = new World({ memoryBroker, sse }, { ...settings, straight, prompt })
        await world.run(steps)
        expect(world.violations).toEqual([])
      }
    }
  })
})
