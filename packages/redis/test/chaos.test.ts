import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '@sse/express/testing'
import { missing, RedisServer } from '@sse/test-redis'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from './cluster.ts'
import { createRandom, Reader, ServerProcess } from './fleet.ts'

/** A minute, and 300 readers, in CI; else as much as one waits for. */
const SECONDS = Number(process.env.CHAOS_SECONDS ?? (process.env.CI ? 60 : 6))
const READERS = Number(process.env.CHAOS_READERS ?? (process.env.CI ? 300 : 20))
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)

const CHANNELS = ['a', 'b', 'c']

describe.skipIf(missing)(
  `three server processes on one Redis (CHAOS_SEED=${SEED})`,
  {
    timeout: (SECONDS + 60) * 1_000,
  },
  () => {
    const cleanup: (() => unknown)[] = []
    afterEach(async () => {
      for (const clean of cleanup.splice(0).reverse()) await clean()
    })

    it('deliver every event in order and once, whatever is killed, stopped and cut', async () => {
      const { acknowledged, done, log, readers } = await storm(false)
      for (const [value, id] of acknowledged)
        expect(
          log.get(id)?.value,
          `the value of ${id}, ${log.size} in the log, from ${[...log.keys()][0]}; ${done}`,
        ).toBe(value)
      const values = [...log.values()].map(({ value }) => value)
      expect(new Set(values).size).toBe(values.length)
      for (const reader of readers) {
        const due = [...log].filter(([, { channel }]) => reader.channels.includes(channel)).map(([id]) => id)
        await until(() => reader.ids.length >= due.length).catch(() => {})
        expect(
          reader.story.map(({ event, id }) => (event === 'news' ? id : event)),
          done,
        ).toEqual(due)
      }
      expect(acknowledged.size).toBeGreaterThan(SECONDS)
    })

    it('announce what Redis has lost, and go on with what is left', async () => {
      const { done, log, readers } = await storm(true)
      const [epoch] = [...log.keys()].map(epochOf)
      for (const reader of readers) {
        const due = [...log].filter(([, { channel }]) => reader.channels.includes(channel)).map(([id]) => id)
        const last = (): string[] => reader.ids.filter((id) => epochOf(id) === epoch)
        await until(() => last().length >= due.length).catch(() => {})
        expect(last(), done).toEqual(due)
        let known = ''
        let announced = true
        for (const { event, id } of reader.story) {
          if (event === 'sse.gap') announced = true
          else {
            if (epochOf(id) !== known) expect(announced, `a gap before ${id}; ${done}`).toBe(true)
            known = epochOf(id)
            announced = false
          }
        }
        expect(new Set(reader.ids).size, done).toBe(reader.ids.length)
      }
    })

    /** Has readers read and publishers publish while one thing after the other fails; then reads what the log has. */
    async function storm(losing: boolean) {
      const random = createRandom(SEED)
      const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
      const redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
      cleanup.push(() => redis.remove())
      const processes = await Promise.all([0, 1, 2].map(() => ServerProcess.start(redis.port)))

      const readers = Array.from({ length: READERS }, (_, n) => {
        const channels = n % 4 === 0 ? CHANNELS : [pick(CHANNELS), pick(CHANNELS)]
        return new Reader([...new Set(channels)], () => pick(processes).origin)
      })
      cleanup.push(() => Promise.all(readers.map((reader) => reader.stop())))
      // First of all, so that no reader waits for a server.
      cleanup.push(() => Promise.all(processes.map((one) => one.kill())))
      await until(() => readers.every((reader) => reader.started))

      let over = false
      let count = 0
      const acknowledged = new Map<number, string>()
      const publish = async (): Promise<void> => {
        while (!over) {
          const value = ++count
          const url = `${pick(processes).origin}/publish?channel=${pick(CHANNELS)}&value=${value}`
          const request = fetch(url, { method: 'POST', signal: AbortSignal.timeout(5_000) })
          const answer = await request.catch(() => undefined)
          if (answer?.status === 200) acknowledged.set(value, await answer.text().catch(() => ''))
          else await pause(20)
        }
      }
      const publishers = [publish(), publish()]

      const faults: Record<string, () => Promise<unknown>> = {
        'kill a server': () => pick(processes).restart(),
        'stop a server': () => pick(processes).hold(200 + random() * 800),
        'cut the subscriptions': () => redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub'),
        'cut the others': () => redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
        'cut the readers': async () => {
          for (const reader of readers) if (random() < 0.5) reader.cut()
        },
        'stop Redis': async () => {
          redis.pause()
          await pause(200 + random() * 800)
          redis.resume()
        },
        'kill Redis': async () => {
          await redis.kill()
          await pause(random() * 300)
          await redis.start()
        },
        ...(losing && {
          'flush Redis': () => redis.command('FLUSHALL'),
          'kill Redis and its file': async () => {
            await redis.kill()
            await rm(redis.file('appendonlydir'), { recursive: true, force: true })
            await redis.start()
          },
        }),
      }
      const deadline = Date.now() + SECONDS * 1_000
      const done: string[] = []
      while (Date.now() < deadline) {
        const fault = pick(Object.keys(faults))
        done.push(fault)
        await faults[fault]?.()
        await pause(random() * 300)
      }
      over = true
      await Promise.all(publishers)
      const log = await readLog(pick(processes).origin, count)
      return { acknowledged, log, readers, done: `after: ${done.join(', ')}` }
    }
  },
)

const epochOf = (id: string): string => id.split('-')[0] ?? ''

/** Everything that the log has, by id, in its order. */
async function readLog(
  origin: string,
  last: number,
): Promise<Map<string, { value: number; channel: string }>> {
  const entries: [string, { value: number; channel: string }][] = []
  for (const channel of CHANNELS) {
    const stream = await connect(origin, `/?channel=${channel}&last=${last + 1}`)
    await stream.next('sse.live')
    for (const { event, id, json } of stream.all()) {
      if (event === 'news') entries.push([id, { value: Number(json), channel }])
    }
    await stream.drop()
  }
  const position = (id: string): number => Number.parseInt(id.split('-')[1] ?? '', 36)
  return new Map(entries.sort(([a], [b]) => position(a) - position(b)))
}
