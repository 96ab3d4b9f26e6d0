import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { clock, type Peer, payloadOf, type Usage } from './peer.ts'
import { PEERS } from './peers.ts'
import { answer } from './processes.ts'

/** What the server process of a peer can be asked. */
export interface ServerRequests {
  start: { ask: { name: string; redis?: string }; answer: { port: number } }
  /** Publishes turn by turn. */
  publish: { ask: Turns; answer: Published }
  /** Publishes at a rate, by the clock: an event that a slow server publishes late counts as late. */
  pour: { ask: Pour; answer: Published & { readonly due: number } }
  /** The id to resume with; `undefined` where the peer replays nothing. */
  cursor: { ask: undefined; answer: { id: string } | undefined }
  /** @param tidy - collects garbage first, and waits until the collector's threads are done */
  usage: { ask: { tidy: boolean }; answer: Usage }
}

/** Turns of the event loop in which something is published. */
export interface Turns {
  readonly bytes: number
  /** Events to everybody in each turn. */
  readonly common: number
  /** Users who get an event of their own in each turn, one after the other. */
  readonly own?: number
  readonly users?: number
  /** The maximum number of turns. */
  readonly turns: number
  /** Milliseconds after which no further turn begins, except the second. */
  readonly within: number
  /** Milliseconds between two turns; 0: back to back. */
  readonly pause: number
}

export interface Pour {
  readonly bytes: number
  /** Events a second. */
  readonly rate: number
  readonly seconds: number
}

/** How many events there were to everybody, and to a single user. */
export interface Published {
  readonly common: number
  readonly own: number
}

const LEAST_TURNS = 2
/** How long the collector's threads go on at most, in milliseconds. */
const SWEEPING = 50
/** How long a publisher that is late may go on after the end, in microseconds. */
const LATENESS = 200_000

let peer: Peer | undefined
let user = 0

function running(): Peer {
  if (peer === undefined) throw new Error('The peer was not started.')
  return peer
}

answer<ServerRequests>({
  async start({ name, redis = '' }) {
    const load = PEERS[name]
    if (load === undefined) throw new Error(`There is no peer '${name}'.`)
    const { start } = await load()
    peer = await start(redis)
    return { port: peer.port }
  },
  async publish({ turns, within, common, own = 0, users = 1, bytes, pause }) {
    const { publish, settled } = running()
    const until = performance.now() + within
    let turn = 0
    for (; turn < turns && (turn < LEAST_TURNS || performance.now() < until); turn++) {
      for (let event = 0; event < common; event++) publish(payloadOf(bytes, clock()))
      for (let event = 0; event < own; event++) publish(payloadOf(bytes, clock()), user++ % users)
      await (pause > 0 ? wait(pause) : nextTurn())
    }
    await settled?.()
    return { common: turn * common, own: turn * own }
  },
  async pour({ bytes, rate, seconds }) {
    const { publish } = running()
    const origin = clock()
    const total = rate * seconds
    // Events that cannot even be published in time count as lost, like those that arrive too late.
    const until = origin + seconds * 1_000_000 + LATENESS
    let event = 0
    while (event < total && clock() < until) {
      const due = Math.min(total, Math.floor(((clock() - origin) * rate) / 1_000_000) + 1)
      for (; event < due && clock() < until; event++) {
        publish(payloadOf(bytes, Math.round(origin + (event * 1_000_000) / rate)))
      }
      await wait(1)
    }
    return { common: event, own: 0, due: total }
  },
  async cursor() {
    const id = await running().cursor?.()
    return id === undefined ? undefined : { id }
  },
  async usage({ tidy }) {
    if (tidy) {
      for (let pass = 0; pass < 2; pass++) globalThis.gc?.()
      // The collection goes on in other threads, whose time would be counted in the next measurement.
      await wait(SWEEPING)
    }
    const elsewhere = peer?.usage?.()
    if (elsewhere !== undefined) return elsewhere
    const { system, user } = process.cpuUsage()
    const { arrayBuffers, heapUsed, rss } = process.memoryUsage()
    return { cpuMicroseconds: user + system, rss, held: heapUsed + arrayBuffers }
  },
})
