import { once } from 'node:events'
import { createEventSource, type TypedEventSource } from '@sse/react'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { events } from '../shared/events.ts'
import { serverName } from '../shared/servers.ts'
import { alive, commandOf, descendants } from './descendants.ts'
import { redisIsMissing } from './redis.ts'
import { type DemoServer, run, startDemo } from './server.ts'

const FILE = 'server/cluster/main.ts'

describe.skipIf(redisIsMissing)('three servers', () => {
  let demo: DemoServer
  const sources: TypedEventSource<typeof events>[] = []

  beforeAll(async () => {
    demo = await startDemo(FILE)
  })
  afterEach(() => {
    for (const source of sources.splice(0)) source.close()
  })
  afterAll(() => demo.stop())

  const post = (path: string, body: object) =>
    fetch(`${demo.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })

  /** Opens a stream, and waits until it has said on which server it is. */
  async function read(query: Record<string, string> = {}) {
    const source = createEventSource(`${demo.url}/events?${new URLSearchParams(query)}`, { events })
    sources.push(source)
    source.open()
    await expect.poll(() => source.getLatest().server).toBeDefined()
    return source
  }

  it('take streams in turn', async () => {
    const streams = [await read(), await read(), await read()]
    expect(streams.map((stream) => stream.getLatest().server?.name).sort()).toEqual(['A', 'B', 'C'])
  })

  it('know together who is here', async () => {
    const wren = await read({ name: 'Wren' })
    const heron = await read({ name: 'Heron' })
    for (const stream of [wren, heron]) {
      await expect
        .poll(() => stream.getLatest().presence)
        .toMatchObject({
          here: 2,
          visitors: [
            { name: 'Heron', away: false },
            { name: 'Wren', away: false },
          ],
        })
    }
    heron.close()
    await expect
      .poll(() => wren.getLatest().presence)
      .toMatchObject({
        here: 1,
        visitors: [
          { name: 'Heron', away: true },
          { name: 'Wren', away: false },
        ],
      })
  })

  it('count together, however many at once', async () => {
    const before = await read()
    await Promise.all(Array.from({ length: 20 }, () => post('/counter', { by: 1, from: 'Wren' })))
    expect((await read()).getLatest().counter?.value).toBe(20)
    await expect.poll(() => before.getLatest().counter?.value).toBe(20)
  })

  it('notify one visitor on whichever server', async () => {
    const wren = await read({ name: 'Wren' })
    const heron = await read({ name: 'Heron' })
    for (const text of ['one', 'two', 'three']) {
      await post('/notifications', { from: 'Tern', to: 'Heron', text })
    }
    await expect.poll(() => heron.getLatest().notification?.text).toBe('three')
    expect(wren.getLatest().notification).toBeUndefined()
  })

  it('cut off a page that is connected to another one, and keep it out of all', async () => {
    const id = 'c'.repeat(32)
    const stream = await read({ id })
    // The server next in turn is another one.
    await post('/cut', { id, seconds: 5 })
    await expect.poll(() => stream.getState().status).not.toBe('open')
    for (const _ of serverName.options) {
      expect((await fetch(`${demo.url}/events?id=${id}`)).status).toBe(503)
    }
  })

  it('are started again when they were killed, and until then a request is told to wait', async () => {
    const stream = await read()
    const refused = await post('/kill', { server: 'D' })
    expect([refused.status, await refused.json()]).toEqual([400, { message: 'There is no such server.' }])
    for (const server of serverName.options) expect((await post('/kill', { server })).status).toBe(202)

    const count = () => post('/counter', { by: 1, from: 'Wren' })
    const response = await count()
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toEqual({ message: 'No server is up. Try again in a moment.' })

    await expect.poll(async () => (await count()).status).toBe(202)
    // By itself it may wait for up to half a minute by now.
    stream.reconnect()
    await expect.poll(() => stream.getState()).toMatchObject({ continuity: 'resumed' })
    await expect.poll(() => stream.getLatest().fleet?.servers.map(({ up }) => up)).toEqual([true, true, true])
  })

  it('get their Redis back when it has crashed, and say anew who is here', async () => {
    const wren = await read({ name: 'Wren' })
    const present = () => wren.getLatest().presence
    await expect.poll(() => present()?.visitors).toContainEqual({ name: 'Wren', away: false })
    const before = present()?.at ?? 0
    const gap = new Promise((resolve) => wren.onResync(resolve))
    let said = ''
    demo.process.stdout?.on('data', (chunk) => {
      said += chunk
    })
    const redis = descendants(demo.process.pid).find((pid) => commandOf(pid).includes('redis-server'))
    process.kill(redis ?? 0, 'SIGKILL')
    await expect.poll(() => said).toContain('Redis has ended (SIGKILL). It starts again in 3 s.')
    await expect.poll(() => said).toContain('Redis is back.')
    expect((await post('/counter', { by: 1, from: 'Wren' })).status).toBe(202)
    expect(await gap).toMatchObject({ reason: 'epoch' })
    await expect.poll(() => wren.getLatest().counter?.value).toBe(1)
    await expect.poll(() => present()?.at).toBeGreaterThan(before)
    expect(present()?.visitors).toContainEqual({ name: 'Wren', away: false })
  })

  it.each([
    ['end with the command', 'SIGTERM', 0],
    ['end also where the command dies without a word', 'SIGKILL', null],
  ] as const)('%s, and so does their Redis', async (_, signal, code) => {
    if (demo.process.exitCode !== null) demo = await startDemo(FILE)
    const response = await fetch(`${demo.url}/events`)
    const ended = response.text().catch(() => 'broken')
    const started = descendants(demo.process.pid)
    const commands = started.map(commandOf)
    expect(commands.filter((command) => command.includes('redis-server'))).toHaveLength(1)
    expect(commands.filter((command) => command.includes('cluster/member.ts'))).toHaveLength(3)

    expect(await demo.stop(signal)).toBe(code)
    await ended
    await expect.poll(() => alive(started)).toEqual([])
  })
})

describe('without what it needs, the command', () => {
  it('ends with the remedy where there is no Redis', async () => {
    const child = run(FILE, 0, { PATH: '/nowhere' })
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
    })
    const [code] = await once(child, 'close')
    expect(said).toContain('Install it (apt install redis-server, brew install redis)')
    expect(code).toBe(1)
  })
})
