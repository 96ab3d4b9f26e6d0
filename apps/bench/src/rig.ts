import type { LoadRequests, Readers, Taken } from './load.ts'
import { KEPT, type Usage } from './peer.ts'
import { startWorker, type Worker } from './processes.ts'
import type { Figures } from './rounds.ts'
import type { Published, ServerRequests } from './server.ts'

/** A peer's server and the load that reads from it, each in a process of its own. */
export interface Rig {
  readonly server: Worker<ServerRequests>
  readonly load: Worker<LoadRequests>
  open(count: number, options?: Opening): Promise<void>
  /** The cost of accepting readers and sending them what they have missed: this many deliveries, timed by the load. */
  resume(count: number, deliveries: number, options: Opening): Promise<Resumed>
  /** Closes every reader. */
  leave(): Promise<void>
  /** What the server has used so far, garbage collected first. */
  usage(): Promise<Usage>
  /**
   * The cost of delivering what an act publishes.
   *
   * @param act - publishes, and resolves to the deliveries that it makes
   * @param patience - milliseconds to wait for the last of them
   */
  measure(act: () => Promise<number>, patience?: number): Promise<Cost>
  stop(): Promise<void>
}

export interface Opening extends Partial<Readers> {
  /** Each reader is a user of its own, with a channel of its own. */
  readonly users?: boolean
  /** The id to resume with. */
  readonly id?: string
}

export interface Resumed extends Figures {
  readonly milliseconds: number
  /** CPU milliseconds of the server. */
  readonly cpu: number
}

export interface Cost {
  /** CPU microseconds of the server. */
  readonly cpu: number
  readonly expected: number
  readonly deliveries: number
  readonly seconds: number
  /** The share of a core that the load used. */
  readonly loadShare: number
  /** Bytes read, milliseconds from due to read. */
  readonly taken: Taken
}

const request = ({ users = false, id }: Opening): string =>
  [
    `GET /events${users ? '?user={user}' : ''} HTTP/1.1`,
    'Host: bench',
    'Accept: text/event-stream',
    ...(id === undefined ? [] : [`Last-Event-ID: ${id}`]),
    '\r\n',
  ].join('\r\n')

export async function startRig(peer: string): Promise<Rig> {
  const server = startWorker<ServerRequests>(new URL('./server.ts', import.meta.url))
  const load = startWorker<LoadRequests>(new URL('./load.ts', import.meta.url))
  const stop = async (): Promise<void> => {
    await Promise.all([server.stop(), load.stop()])
  }
  const { port } = await server.ask('start', { name: peer }).catch(async (error) => {
    await stop()
    throw error
  })
  // Like a server that has been up for a while: peers that keep a history have a full one.
  await server.ask('publish', { bytes: 100, common: 100, turns: KEPT / 100, within: 60_000, pause: 0 })
  return {
    server,
    load,
    stop,
    async open(count, options = {}) {
      await load.ask('open', { request: request(options), ...options, port, count })
    },
    async resume(count, deliveries, options) {
      const before = await server.ask('usage', { tidy: false })
      const readers = { request: request(options), ...options, port, count }
      const resumed = await load.ask('resume', { ...readers, deliveries, timeout: 30_000 })
      const after = await server.ask('usage', { tidy: false })
      if (resumed.deliveries < deliveries)
        throw new Error(`${resumed.deliveries} of ${deliveries} deliveries arrived`)
      return {
        milliseconds: resumed.milliseconds,
        cpu: (after.cpuMicroseconds - before.cpuMicroseconds) / 1000,
      }
    },
    async leave() {
      await load.ask('leave', undefined)
    },
    usage: () => server.ask('usage', { tidy: true }),
    async measure(act, patience = 30_000) {
      // Without collecting garbage: that would empty the caches, at the expense of the peers with the largest heaps.
      const before = await server.ask('usage', { tidy: false })
      const { cpuMicroseconds: loadBefore } = await load.ask('taken', undefined)
      const start = performance.now()
      const expected = await act()
      const { deliveries } = await load.ask('await', { deliveries: expected, timeout: patience })
      const seconds = (performance.now() - start) / 1000
      const taken = await load.ask('taken', undefined)
      const after = await server.ask('usage', { tidy: false })
      return {
        cpu: after.cpuMicroseconds - before.cpuMicroseconds,
        expected,
        deliveries,
        seconds,
        loadShare: (taken.cpuMicroseconds - loadBefore) / 1e6 / seconds,
        taken,
      }
    },
  }
}

/**
 * The same, but everything must arrive; once it has, it is published again, until the time is over.
 *
 * @param within - milliseconds after which nothing more is published; the first time counts in any case
 */
export async function measureAll(
  rig: Rig,
  readers: number,
  publish: () => Promise<Published>,
  within = 0,
): Promise<Cost> {
  let deliveries = 0
  const cost = await rig.measure(async () => {
    const until = performance.now() + within
    do {
      const { common, own } = await publish()
      deliveries += await arrival(rig, common * readers + own)
    } while (performance.now() < until)
    return 0
  })
  return { ...cost, expected: deliveries, deliveries }
}

/** Waits until this many deliveries have arrived. */
export async function arrival(rig: Rig, expected: number, timeout = 30_000): Promise<number> {
  const { deliveries } = await rig.load.ask('await', { deliveries: expected, timeout })
  if (deliveries < expected) throw new Error(`${deliveries} of ${expected} deliveries arrived`)
  return deliveries
}
