import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defineEvents, payload, state } from '@sse/contract'
import { describe, expect, it, vi } from 'vitest'
import { memoryBroker, sse } from '../../src/index.ts'
import { Log, type Said } from '../model/log.ts'
import { Ledger } from './ledger.ts'
import { FaultProxy, type Link } from './proxy.ts'
import { Reader } from './reader.ts'

const seconds = process.env.CI === 'true' ? 60 : 6
const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)
const READERS = 200
const CHANNELS = ['a', 'b', 'c', 'd']
// Less than what is published until a stalled reader is cut off, so that some fall off the log.
const keeps = { length: 20, bytes: 1_000_000, age: 3_600_000 }

const events = defineEvents({
  note: payload<{ n: number; pad: string }>(),
  state: state<{ n: number; pad: string; key: string }>(({ key }) => key),
})

/** Mulberry32: the same faults for the same seed, as far as the network plays along. */
function randomOf(start: number): (below: number) => number {
  let a = start
  return (below) => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const faults: readonly ((link: Link, proxy: FaultProxy) => void)[] = [
  (link) => link.cut(),
  (link) => link.cut(),
  (link) => link.stall(),
  (link) => link.flow(),
  (link) => link.trickle(),
  (link, proxy) => proxy.halfOpen(link),
]

describe(`${READERS} readers behind a network that fails, seed ${seed}`, () => {
  it('account for every event', { timeout: (seconds + 60) * 1_000 }, async () => {
    const random = randomOf(seed)
    const hub = sse({
      events,
      broker: memoryBroker({ now: () => 1_000_000 }),
      history: keeps,
      heartbeat: 300,
      stallTimeout: 1_000,
      retry: 10,
    })
    const server = createServer((request, response) => {
      hub(request, response, () => {
        const channels = new URL(request.url ?? '', 'http://reader').searchParams.getAll('channel')
        hub.stream(response).join(channels)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new FaultProxy((server.address() as AddressInfo).port)
    const port = await proxy.listen()
    const log = new Log((await hub.cursor()).replace(/-.*/, ''), () => keeps)

    const ledgers: Ledger[] = []
    const readers = Array.from({ length: READERS }, (_, index) => {
      const channels = CHANNELS.filter((_name, bit) => ((index % 15) + 1) & (1 << bit))
      const ledger = new Ledger(log, channels)
      ledgers.push(ledger)
      const path = `/events?${channels.map((name) => `channel=${name}`).join('&')}`
      return new Reader(port, path, (event) => ledger.hear(event))
    })
    for (const reader of readers) reader.open()

    let n = 0
    const publish = (channel: string): void => {
      const data = { n: ++n, pad: 'x'.repeat(random(50) === 0 ? 20_000 : random(200)) }
      const kind = random(4) === 0 ? 'state' : 'note'
      const key = `k${random(5)}`
      const said: Said =
        kind === 'note'
          ? { kind, data: JSON.stringify(data) }
          : { kind, key, data: JSON.stringify({ ...data, key }) }
      if (kind === 'note') hub.channel(channel).publish('note', data)
      else hub.channel(channel).publish('state', { ...data, key })
      log.publish(channel, said, 1_000_000)
    }
    const publishing = setInterval(() => {
      for (let left = random(4); left > 0; left--) publish(CHANNELS[random(CHANNELS.length)] ?? 'a')
    }, 10)
    const failing = setInterval(() => {
      const link = [...proxy.links][random(proxy.links.size || 1)]
      if (link !== undefined) faults[random(faults.length)]?.(link, proxy)
    }, 5)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
    clearInterval(failing)
    clearInterval(publishing)

    for (const link of proxy.links) link.flow()
    for (const channel of CHANNELS) publish(channel)
    await vi.waitFor(
      () => {
        const behind = ledgers.filter(({ reached }) => reached < log.head)
        expect(behind.length, `readers that are behind ${log.head}`).toBe(0)
      },
      { timeout: 30_000, interval: 50 },
    )

    expect(ledgers.flatMap(({ violations }) => violations)).toEqual([])
    // It was no walk in the park.
    const connections = readers.reduce((sum, reader) => sum + reader.connections, 0)
    expect(connections).toBeGreaterThan(READERS * 1.5)
    expect(hub.stats().gaps).toBeGreaterThan(0)

    for (const reader of readers) reader.stop()
    proxy.close()
    await vi.waitFor(() => expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 }), { timeout: 5_000 })
    await hub.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})
