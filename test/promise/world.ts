import { setTimeout as pause } from 'node:timers/promises'
import type { RedisServer } from '@sse/test-redis'
import { expect, vi } from 'vitest'
import { EventServer } from './event-server.ts'
import { judge, Log, type Published } from './oracle.ts'
import { HostileProxy } from './proxy.ts'
import { Random } from './random.ts'
import { Reader } from './reader.ts'
import { CHANNELS, type Channel, type Fault, isBrief, type Setting, scenario, serversOf } from './scenario.ts'

const READERS = 16
/** How long things go wrong, in milliseconds. */
const DURATION = 3_000
/** How long readers may take to get to the end once nothing goes wrong any more, in milliseconds. */
const CONVERGENCE = 30_000

const NAMES = Object.keys(CHANNELS) as Channel[]

/** Servers, readers, and all that lies between them. */
export class World {
  readonly #seed: number
  readonly #setting: Setting
  readonly #random: Random
  readonly #redis: RedisServer | undefined
  readonly #servers: EventServer[] = []
  readonly #readers: Reader[] = []
  readonly #published: Published[] = []
  /** Publishes and faults that are not over yet. */
  readonly #pending = new Set<Promise<unknown>>()
  #proxy: HostileProxy | undefined

  constructor(seed: number, setting: Setting, redis?: RedisServer) {
    this.#seed = seed
    this.#setting = setting
    this.#random = new Random(seed)
    this.#redis = redis
  }

  /** Lets everything go wrong for a while, then all readers come to the end, and checks what they were told. */
  async keepsThePromise(): Promise<void> {
    for (let n = serversOf(this.#setting); n > 0; n--)
      this.#servers.push(await EventServer.start(this.#redis))
    const proxy = await HostileProxy.start(() => this.#random.pick(this.#servers).port)
    this.#proxy = proxy
    const steps = scenario(this.#seed, this.#setting, DURATION)
    const begin = performance.now()
    for (let n = 0; n < READERS; n++) await this.#addReader(n, proxy.origin)
    while (performance.now() - begin < DURATION) {
      while (performance.now() - begin >= (steps[0]?.at ?? Number.POSITIVE_INFINITY)) {
        const step = steps.shift()
        if (step !== undefined) this.#await(this.#befall(step.fault, proxy))
      }
      this.#publish(this.#random.pick(NAMES))
      await pause(this.#random.between(0, 5))
    }
    await Promise.all(this.#pending)
    proxy.relieve()
    for (const reader of this.#readers) reader.hurry()
    const behind = await this.#converge()
    const complaints = [
      ...this.#violations(),
      ...behind.map((reader) => `does not come to the end: ${reader}`),
    ]
    if (complaints.length > 0)
      throw new Error(
        `${complaints.length} complaints about ${this.#setting}, seed ${this.#seed}. The first:\n${complaints.slice(0, 3).join('\n\n')}`,
      )
    expect(proxy.connections).toBeGreaterThan(2 * READERS)
  }

  async stop(): Promise<void> {
    for (const reader of this.#readers) reader.close()
    await Promise.all(this.#servers.map((server) => server.stop()))
    await this.#proxy?.stop()
  }

  async #addReader(n: number, origin: string): Promise<void> {
    const random = this.#random
    // Some of one channel only, which are served in a way of their own.
    const channels = NAMES.filter((_, index) => (n < NAMES.length ? n === index : random.chance(0.5)))
    if (channels.length === 0) channels.push(random.pick(NAMES))
    const native = random.chance(0.25)
    // Every other one continues from a page that was rendered by now.
    const cursor = random.chance(0.5) ? await this.#servers[0]?.hub?.cursor() : undefined
    this.#readers.push(
      new Reader(origin, channels, { native, cursor, published: () => this.#published.length, random }),
    )
  }

  #await(work: Promise<unknown>): void {
    this.#pending.add(work)
    work.finally(() => this.#pending.delete(work))
  }

  async #befall(fault: Fault, proxy: HostileProxy): Promise<void> {
    const random = this.#random
    switch (fault.kind) {
      case 'strike':
        proxy.strike(fault, () => random.chance(fault.share))
        return
      case 'refuse':
        proxy.refusing = true
        await pause(fault.milliseconds)
        proxy.refusing = false
        return
      case 'close':
      case 'destroy': {
        const server = this.#servers[fault.server]
        if (server?.hub === undefined) return
        await (fault.kind === 'destroy' ? server.destroy() : server.close(fault.within))
        await pause(fault.milliseconds)
        await server.start()
        return
      }
      case 'cut redis':
        await this.#redis?.command('CLIENT', 'KILL', 'TYPE', fault.type, 'SKIPME', 'yes').catch(() => {})
        return
      case 'pause redis':
        this.#redis?.pause()
        await pause(fault.milliseconds)
        this.#redis?.resume()
        return
      case 'flush redis':
        await this.#redis?.command('FLUSHALL').catch(() => {})
        return
      case 'burst':
        for (let left = fault.count; left > 0; left--) this.#publish(fault.channel)
        return
      case 'reconnect':
        for (const reader of this.#readers) if (random.chance(fault.share)) reader.reconnectAtNext()
    }
  }

  /** @returns the event, when it is known whether it was stored; `undefined` if there is no server */
  async #publish(channel: Channel): Promise<Published | undefined> {
    const random = this.#random
    const there = this.#servers.flatMap(({ hub }) => hub ?? [])
    if (there.length === 0) return undefined
    const target = random.pick(there).channel(channel)
    const n = this.#published.length
    const padding = 'x'.repeat(random.between(0, channel === 'bulky' ? 50_000 : 200))
    const key = channel !== 'bulky' && random.chance(0.4) ? `${channel}.${random.between(0, 3)}` : undefined
    const entry: Published = { n, channel, key }
    this.#published.push(entry)
    const publishing =
      key === undefined
        ? target.publish('notice', { n, channel, padding })
        : target.publish('price', { n, channel, padding, key })
    const stored = publishing.then(
      (id) => {
        entry.id = id
      },
      () => {},
    )
    this.#await(stored)
    await stored
    return entry
  }

  /**
   * Publishes a last event on each channel once all readers have begun, and waits until they have had it.
   *
   * @returns those who have not, in all the time that they had
   */
  async #converge(): Promise<readonly Reader[]> {
    const last = new Map<string, number>()
    await vi.waitFor(() => expect(this.#readers.every(({ begun }) => begun)).toBe(true), CONVERGENCE)
    for (const channel of NAMES) {
      await vi.waitFor(async () => {
        const entry = await this.#publish(channel)
        if (entry?.id === undefined) throw new Error(`The last event of ${channel} cannot be published.`)
        last.set(channel, entry.n)
      }, CONVERGENCE)
    }
    const behind = (): Reader[] =>
      this.#readers.filter((reader) =>
        reader.channels.some((channel) => !reader.has(last.get(channel) ?? -1)),
      )
    await vi.waitFor(() => expect(behind()).toHaveLength(0), CONVERGENCE).catch(() => {})
    return behind()
  }

  /** What is wrong with what readers were told, with what they heard around it. */
  #violations(): string[] {
    // What a reader got was stored, even if its publisher was never told.
    for (const reader of this.#readers) {
      for (const item of reader.story) {
        const entry = item.kind === 'event' ? this.#published[item.n] : undefined
        if (item.kind === 'event' && entry !== undefined) entry.id ??= item.id
      }
    }
    const log = new Log(this.#published)
    const lossy = this.#setting === 'lossy redis'
    const losses = {
      evicts: (channel: string) => lossy || isBrief(channel),
      beginsAnew: this.#setting !== 'redis',
    }
    return this.#readers.flatMap((reader) =>
      judge(reader, log, losses).map(
        ({ at, what }) => `${what}, for the reader of ${reader.channels}:\n${reader.trace(at)}`,
      ),
    )
  }
}
