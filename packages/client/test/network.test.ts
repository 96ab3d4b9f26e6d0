import { existsSync } from 'node:fs'
import { defineEvents, payload } from '@sse/contract'
import { type Hub, type SseOptions, sse } from '@sse/express'
import { serve, stopServing } from '@sse/express/testing'
import express from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEventSource, type EventSourceOptions, type TypedEventSource } from '../src/index.ts'
import { tap } from './endpoint.ts'
import { startNginx } from './foreign/nginx.ts'
import { startRelay } from './foreign/relay.ts'

const events = defineEvents({ note: payload<number>() })
type E = typeof events

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(options: SseOptions<E> = {}) {
  const hub: Hub<E> = sse<E>({ events, ...options })
  const app = express()
  app.use(hub)
  app.get('/events', (_req, res) => hub.stream(res).join('news'))
  const origin = await serve(app)
  cleanups.push(() => stopServing(app))
  // A hub that is published to before it has seen a request warns.
  await fetch(origin)
  const news = hub.channel('news')
  return { app, hub, news, origin }
}
function open(origin: string, options: EventSourceOptions<E> = {}) {
  const source = createEventSource<E>(`${origin}/events`, { events, ...options })
  cleanups.push(() => source.close())
  const heard: number[] = []
  const states: string[] = []
  const resync = vi.fn()
  source.on('note', (note) => heard.push(note))
  source.subscribe((change) => {
    if (change === 'state') states.push(source.getState().status)
  })
  source.onResync(resync)
  return { source, heard, states, resync }
}
const ready = (source: TypedEventSource<E>) => vi.waitFor(() => expect(source.cursor).not.toBe(''), 5_000)
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** The same chance each time. @see https://en.wikipedia.org/wiki/Linear_congruential_generator */
function chance(seed: number): (least: number, most: number) => number {
  let state = seed
  return (least, most) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return least + Math.floor((state / 2 ** 32) * (most - least + 1))
  }
}

const missing = !existsSync('/usr/sbin/nginx')
if (missing) process.stderr.write('nginx is missing: sudo apt-get install nginx\n')

// The gate has it installed, and fails without it.
describe.skipIf(missing && !process.env.CI)('behind nginx', () => {
  it('with its defaults, which buffer, the first event comes under a second, and each one after it', async () => {
    const { hub, news, origin } = await start()
    await using nginx = await startNginx(origin)
    const cursor = await hub.cursor()
    await news.publish('note', 0)
    const { source, heard } = open(nginx.origin, { cursor })
    await vi.waitFor(() => expect(heard).toEqual([0]), { timeout: 1_000, interval: 10 })
    for (const note of [1, 2, 3]) {
      await news.publish('note', note)
      await vi.waitFor(() => expect(heard).toContain(note), { timeout: 1_000, interval: 10 })
    }
    expect(source.getState().status).toBe('open')
  })

  it('a quiet stream outlives the time that nginx gives a silent server', async () => {
    const { origin } = await start({ heartbeat: 1_000 })
    await using nginx = await startNginx(origin, 'proxy_read_timeout 2s;')
    let received = ''
    const { states } = open(nginx.origin, {
      fetch: tap((text) => {
        received += text
      }),
    })
    await vi.waitFor(() => expect(received.match(/^event: sse\.live$/gm)).toHaveLength(5), 9_000)
    expect(states).toEqual(['open'])
  })

  it('a stream that nginx cuts is resumed', async () => {
    const { hub, news, origin } = await start()
    await using nginx = await startNginx(origin, 'proxy_read_timeout 1s;')
    const { source, heard, states, resync } = open(nginx.origin)
    await ready(source)
    await news.publish('note', 0)
    await vi.waitFor(() => expect(states).toContain('retrying'), 5_000)
    await vi.waitFor(() => expect(hub.streams.size).toBe(0))
    await news.publish('note', 1)
    await vi.waitFor(() => expect(heard).toEqual([0, 1]), 10_000)
    expect(source.getState().continuity).toBe('resumed')
    expect(resync).not.toHaveBeenCalled()
  })

  it('a server that is away is a 502 that is tried again, and resumed when it is back', async () => {
    const { app, hub, news, origin } = await start()
    await using nginx = await startNginx(origin)
    const { source, heard, resync } = open(nginx.origin)
    await ready(source)
    await stopServing(app)
    await vi.waitFor(
      () => expect(source.getState().error).toMatchObject({ kind: 'http', status: 502 }),
      9_000,
    )
    expect(source.getState().status).toBe('retrying')
    await news.publish('note', 0)
    const again = app.listen(Number(new URL(origin).port), '127.0.0.1')
    cleanups.push(() => {
      again.closeAllConnections()
      return new Promise((closed) => again.close(closed))
    })
    await vi.waitFor(() => expect(again.listening).toBe(true))
    source.reconnect()
    await vi.waitFor(() => expect(heard).toEqual([0]))
    expect(source.getState().continuity).toBe('resumed')
    expect(resync).not.toHaveBeenCalled()
    expect(hub.streams.size).toBe(1)
  })
})

describe('over a bad network', () => {
  it('loss and latency that differ from piece to piece change nothing in the order', async () => {
    const random = chance(1)
    const { news, origin } = await start()
    await using relay = await startRelay(origin, { delay: () => random(0, 3), piece: () => random(1, 700) })
    const { source, heard, states } = open(relay.origin)
    await ready(source)
    for (const note of numbers(500)) await news.publish('note', note)
    await vi.waitFor(() => expect(heard).toHaveLength(500), 8_000)
    expect(heard).toEqual(numbers(500))
    expect(states).toEqual(['open'])
  })

  it.each([1, 2, 3])(
    'a connection that breaks at any byte, again and again, loses and repeats nothing (%i)',
    async (seed) => {
      const random = chance(seed)
      const { hub, news, origin } = await start()
      const cursor = await hub.cursor()
      await using relay = await startRelay(origin, {
        piece: () => random(1, 50),
        // The head of the response alone is some 300 bytes.
        life: () => (relay.connections < 8 ? random(100, 2_500) : Number.POSITIVE_INFINITY),
      })
      const { source, heard, resync } = open(relay.origin, { cursor })
      const goOn = (): void => {
        if (source.getState().status === 'retrying') source.reconnect()
      }
      for (const note of numbers(400)) {
        await news.publish('note', note)
        goOn()
        if (note % 20 === 0)
          await vi.waitFor(() => expect(source.getState().status).not.toBe('connecting'), 10_000)
      }
      await vi.waitFor(() => {
        goOn()
        expect(heard).toHaveLength(400)
      }, 30_000)
      expect(heard).toEqual(numbers(400))
      expect(resync).not.toHaveBeenCalled()
      expect(relay.connections).toBeGreaterThanOrEqual(5)
    },
    60_000,
  )

  it('a connection that is half open is noticed by the missing heartbeats, and resumed on another', async () => {
    const { news, origin } = await start({ heartbeat: 1_000 })
    await using relay = await startRelay(origin)
    const { source, heard, resync } = open(relay.origin)
    const stale: unknown[] = []
    const errors: unknown[] = []
    source.subscribe(() => {
      const { error, stale: isStale } = source.getState()
      stale.push(isStale)
      errors.push(error?.kind)
    })
    await ready(source)
    relay.hush()
    await news.publish('note', 0)
    await vi.waitFor(() => expect(errors).toContain('stale'), 9_000)
    expect(stale).toContain(true)
    await vi.waitFor(() => expect(heard).toEqual([0]), 12_000)
    expect(source.getState().continuity).toBe('resumed')
    expect(resync).not.toHaveBeenCalled()
    // A machine that is busy for long may have let another one go stale.
    expect(relay.connections).toBeGreaterThanOrEqual(2)
  }, 30_000)
})
