import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { defineEvents, payload } from '@sse/contract'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createEventSource, type EventSourceOptions, type TypedEventSource } from '../src/index.ts'
import { tap } from './endpoint.ts'
import { type ForeignServer, startServer } from './foreign/process.ts'

/** Debian's, which has Debian's Flask; another one may come first in the path. */
const python = '/usr/bin/python3'
const missing = spawnSync(python, ['-c', 'import flask']).status !== 0
if (missing) process.stderr.write('Flask is missing: sudo apt-get install python3-flask\n')

const events = defineEvents({ note: payload<string>() })
type E = typeof events

// The gate has it installed, and fails without it.
describe.skipIf(missing && !process.env.CI)('with Flask', () => {
  let server: ForeignServer
  beforeEach(async () => {
    server = await startServer((port) => ({
      program: python,
      args: [join(import.meta.dirname, 'foreign/flask_server.py'), String(port)],
    }))
  }, 30_000)
  const opened: TypedEventSource<E>[] = []
  afterEach(async () => {
    for (const source of opened.splice(0)) source.close()
    await server[Symbol.asyncDispose]()
  })
  function open(path: string, options: EventSourceOptions<E> = {}) {
    const source = createEventSource<E>(server.origin + path, { events, ...options })
    opened.push(source)
    const heard: unknown[] = []
    source.on('note', (note, { id }) => heard.push([id, note]))
    return { source, heard }
  }
  const until = (source: TypedEventSource<E>, status: string) =>
    vi.waitFor(() => expect(source.getState().status).toBe(status), 5_000)
  const publish = (note: string) =>
    fetch(`${server.origin}/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(note),
    })
  const seen = async (): Promise<{ requests: (string | null)[]; streams: number }> =>
    (await fetch(`${server.origin}/seen`)).json()

  it('events arrive while its generator goes on', async () => {
    const { source, heard } = open('/events')
    await until(source, 'open')
    await publish('größer\nthan a line')
    await vi.waitFor(() => expect(heard).toEqual([['1', 'größer\nthan a line']]))
    await publish('b')
    await vi.waitFor(() => expect(heard).toHaveLength(2))
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'fresh' })
  })

  it('a stream that it ends is gone on with after the last id, each event once and in order', async () => {
    for (const note of ['a', 'b', 'c']) await publish(note)
    const { source, heard } = open('/events?take=2')
    const resync = vi.fn()
    source.onResync(resync)
    await vi.waitFor(() => expect(heard).toHaveLength(3), 5_000)
    await publish('d')
    await vi.waitFor(() => expect(heard).toHaveLength(4), 5_000)
    expect(heard).toEqual([
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'c'],
      ['4', 'd'],
    ])
    expect((await seen()).requests.slice(0, 2)).toEqual([null, '2'])
    // It does not say whether it resumed.
    expect(resync.mock.calls[0]).toEqual([{ reason: 'unknown', channels: [] }])
  })

  it('its comments count as heartbeats', async () => {
    let received = ''
    const { source } = open('/events', {
      heartbeat: 400,
      fetch: tap((text) => {
        received += text
      }),
    })
    await until(source, 'open')
    const changes = vi.fn()
    source.subscribe(changes)
    await vi.waitFor(() => expect(received.match(/^: quiet$/gm)?.length).toBeGreaterThan(15), 8_000)
    expect(changes).not.toHaveBeenCalled()
    expect((await seen()).requests).toHaveLength(1)
  })

  it('a source that is closed leaves no generator behind', async () => {
    const { source } = open('/events')
    await until(source, 'open')
    await vi.waitFor(async () => expect((await seen()).streams).toBe(1))
    source.close()
    await vi.waitFor(async () => expect((await seen()).streams).toBe(0), 5_000)
  })

  it('an expired token is renewed, 204 is final, Retry-After is kept', async () => {
    const tokens = ['stale', 'fresh']
    const secret = open('/secret', { headers: async () => ({ authorization: `Bearer ${tokens.shift()}` }) })
    await vi.waitFor(() => expect(secret.heard).toEqual([['', 'for your eyes']]))
    const nothing = open('/nothing')
    await until(nothing.source, 'closed')
    const busy = open('/busy')
    await until(busy.source, 'retrying')
    const { error, retryAt } = busy.source.getState()
    expect(error).toMatchObject({ kind: 'http', status: 503, body: 'later', retryAfter: 120_000 })
    expect((retryAt ?? 0) - Date.now()).toBeGreaterThan(115_000)
  })
})
