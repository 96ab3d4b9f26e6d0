import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type TestStream } from '@sse/express/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from './cluster.ts'
import { missing, RedisServer } from './redis-server.ts'

/** A minute, and as many readers as the machine has room for, when asked for; else as much as a test may take. */
const SECONDS = Number(process.env.CHAOS_SECONDS ?? 8)
const READERS = Number(process.env.CHAOS_READERS ?? 20)
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)

const CHANNELS = ['a', 'b', 'c']

describe.skipIf(missing)('three server processes on one Redis', () => {
  const cleanup: (() => unknown)[] = []
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean()
  })

  it(`deliver every event in order and once, whatever is killed, stopped and cut (CHAOS_SEED=${SEED})`, {
    timeout: (SECONDS + 60) * 1_000,
  }, async () => {
    const random = createRandom(SEED)
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
    const redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
    cleanup.push(() => redis.remove())
    const processes = await Promise.all([0, 1, 2].map(() => ServerProcess.start(redis.port)))
    cleanup.push(() => Promise.all(processes.map((one) => one.kill())))

    const readers = Array.from({ length: READERS }, (_, n) => {
      const channels = n % 4 === 0 ? CHANNELS : [pick(CHANNELS), pick(CHANNELS)]
      return new Reader([...new Set(channels)], () => pick(processes).origin)
    })
    cleanup.push(() => Promise.all(readers.map((reader) => reader.stop())))
    await until(() => readers.every((reader) => reader.started))

    let over = false
    let value = 0
    const acknowledged = new Map<number, string>()
    const publish = async (): Promise<void> => {
      while (!over) {
        value += 1
        const mine = value
        const url = `${pick(processes).origin}/publish?channel=${pick(CHANNELS)}&value=${mine}`
        const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(5_000) }).catch(
          () => undefined,
        )
        if (answer?.status === 200) acknowledged.set(mine, await answer.text().catch(() => ''))
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

    // What the log has is what everybody is to have had.
    const log = await readLog(pick(processes).origin, value)
    for (const [mine, id] of acknowledged) expect(log.get(id)?.value, `the value of ${id}`).toBe(mine)
    const values = [...log.values()].map((entry) => entry.value)
    expect(new Set(values).size).toBe(values.length)

    for (const reader of readers) {
      const due = [...log].filter(([, { channel }]) => reader.channels.includes(channel)).map(([id]) => id)
      await until(() => reader.ids.length >= due.length).catch(() => {})
      expect(reader.gaps, `gaps after: ${done.join(', ')}`).toEqual([])
      expect(reader.ids, `events after: ${done.join(', ')}`).toEqual(due)
    }
    expect(acknowledged.size).toBeGreaterThan(SECONDS)
  })
})

/** A reader as a client is one: it comes back to any server, with its cursor, whenever its stream ends. */
class Reader {
  readonly channels: readonly string[]
  readonly #origin: () => string
  readonly #former: TestStream[] = []
  readonly #running: Promise<void>
  #stream: TestStream | undefined
  #stopped = false

  constructor(channels: readonly string[], origin: () => string) {
    this.channels = channels
    this.#origin = origin
    this.#running = this.#run()
  }

  get started(): boolean {
    return (this.#stream?.lastEventId ?? '') !== ''
  }

  /** The ids of the news that it has had. */
  get ids(): string[] {
    return this.#events('news').map(({ id }) => id)
  }

  get gaps(): unknown[] {
    return this.#events('sse.gap').map(({ json }) => json)
  }

  cut(): void {
    this.#stream?.drop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#stream?.drop()
    await this.#running
  }

  #events(name: string): ReturnType<TestStream['all']> {
    const streams = this.#stream === undefined ? this.#former : [...this.#former, this.#stream]
    return streams.flatMap((stream) => stream.all().filter(({ event }) => event === name))
  }

  async #run(): Promise<void> {
    let lastEventId = ''
    const path = `/?${new URLSearchParams(this.channels.map((channel) => ['channel', channel] as [string, string]))}`
    while (!this.#stopped) {
      const stream = await connect(this.#origin(), path, { lastEventId }).catch(() => undefined)
      if (stream?.status === 200) {
        this.#stream = stream
        await stream.ended
        lastEventId = stream.lastEventId
        this.#former.push(stream)
        this.#stream = undefined
      } else {
        await stream?.drop()
        await pause(50)
      }
    }
  }
}

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

class ServerProcess {
  /** Another one after each start. */
  origin = ''
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  private constructor(redisPort: number) {
    const script = join(import.meta.dirname, 'server-process.ts')
    this.#args = ['--conditions=@sse/source', '--import', 'tsx', script, String(redisPort)]
  }

  static async start(redisPort: number): Promise<ServerProcess> {
    const server = new ServerProcess(redisPort)
    await server.#start()
    return server
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.#start()
  }

  async hold(milliseconds: number): Promise<void> {
    this.#child?.kill('SIGSTOP')
    await pause(milliseconds)
    this.#child?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  async #start(): Promise<void> {
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    this.origin = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (said) => resolve(String(said).trim()))
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
    })
  }
}

/** Mulberry32: the same faults for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
