import { afterEach, describe, expect, inject, it, vi } from 'vitest'
import {
  createEventSource,
  type EventSourceOptions,
  fetchTransport,
  nativeTransport,
  type TypedEventSource,
} from '../../src/index.ts'
import { stream } from '../suites/endpoint.ts'
import { events } from './events.ts'
import { serveThere } from './serve-there.ts'

type E = typeof events
interface Report {
  readonly seen: readonly { readonly method: string; readonly url: string; readonly lastEventId?: string }[]
  readonly streams: number
}
const origin = inject('origin')
let rooms = 0
function enter() {
  const room = `${origin}/room-${Date.now()}-${++rooms}`
  const post = (what: string): Promise<unknown> => fetch(`${room}/${what}`, { method: 'POST' })
  return {
    url: `${room}/events`,
    publish: (note: string) => post(`publish?note=${note}`),
    cut: () => post('cut'),
    close: () => post('close'),
    report: async (): Promise<Report> => (await fetch(`${room}/seen`)).json(),
  }
}
const opened: TypedEventSource<E>[] = []
function open(url: string, options: EventSourceOptions<E> = {}) {
  const source = createEventSource<E>(url, { events, ...options })
  opened.push(source)
  const heard: unknown[] = []
  source.on('note', (note, { replayed }) => heard.push([note, replayed]))
  return { source, heard }
}
const until = (source: TypedEventSource<E>, status: string) =>
  vi.waitFor(() => expect(source.getState().status).toBe(status), 8_000)
afterEach(() => {
  for (const source of opened.splice(0)) source.close()
})

describe.each([
  ['fetch', fetchTransport],
  ['the native EventSource', nativeTransport],
])('in a page, with %s', (_name, transport) => {
  it('what was missed arrives once and in order, from another origin without a preflight', async () => {
    const room = enter()
    const { source, heard } = open(room.url, { transport })
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    await room.publish('a')
    await vi.waitFor(() => expect(heard).toHaveLength(1))
    const { cursor } = source
    await room.cut()
    await until(source, 'retrying')
    await room.publish('b')
    await room.publish('c')
    await vi.waitFor(() => expect(heard).toHaveLength(3), 8_000)
    expect(heard).toEqual([
      ['a', false],
      ['b', true],
      ['c', true],
    ])
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'resumed' })
    const { seen } = await room.report()
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET'])
    expect(seen[1]?.url).toContain(`lastEventId=${cursor}`)
  })

  it('a stream that the server closes stays closed', async () => {
    const room = enter()
    const { source } = open(room.url, { transport })
    await until(source, 'open')
    await room.close()
    await until(source, 'closed')
    expect(source.getState()).toMatchObject({ by: 'server', reason: 'complete' })
  })

  it("an event named 'error' or 'open' is not taken for the connection's own", async () => {
    const own = ['error', 'open'].map((name) => `event: ${name}\ndata: "x"\n\n`).join('')
    await using endpoint = await serveThere(
      stream(`event: note\ndata: "a"\n\n${own}event: note\ndata: "b"\n\n`),
    )
    const { source, heard } = open(endpoint.url, { transport })
    const errors = vi.fn()
    source.onError(errors)
    await vi.waitFor(() => expect(heard).toHaveLength(2))
    expect(errors).not.toHaveBeenCalled()
    expect(source.getState().status).toBe('open')
    expect(await endpoint.seen()).toHaveLength(1)
  })

  it('close() leaves no stream at the server', async () => {
    const room = enter()
    const { source } = open(room.url, { transport })
    await until(source, 'open')
    source.close()
    await vi.waitFor(async () => expect((await room.report()).streams).toBe(0))
  })
})

describe('in a page', () => {
  it('the cursor goes to its own origin as a header', async () => {
    const room = enter()
    const url = room.url.replace(origin, '/server')
    const { source, heard } = open(url)
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    const { cursor } = source
    await room.cut()
    await until(source, 'retrying')
    await room.publish('b')
    await vi.waitFor(() => expect(heard).toEqual([['b', true]]), 8_000)
    const { seen } = await room.report()
    expect(seen[1]).toMatchObject({ method: 'GET', lastEventId: cursor })
    expect(seen[1]?.url).not.toContain('lastEventId')
  })

  it.each([
    [204, 'closed'],
    [404, 'failed'],
    [503, 'retrying'],
  ])('a status of %i leaves the source %s', async (status, expected) => {
    const { source } = open(`${origin}/status/${status}`)
    await until(source, expected)
  })

  it('that says by <base> what urls are relative to, so is that of a source', async () => {
    const base = document.createElement('base')
    base.href = '/elsewhere/'
    document.head.append(base)
    const asked = vi.fn(async () => new Response('', { status: 404 }))
    const { source } = open('events', { fetch: asked })
    await until(source, 'failed')
    expect(asked).toHaveBeenCalledWith(new Request('events').url, expect.anything())
    base.remove()
  })

  it('that goes offline, the source pauses, and resumes when it is back', async () => {
    const room = enter()
    const { source, heard } = open(room.url)
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    // The real network carries the test's own traffic, so that only the page is told.
    const onLine = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    window.dispatchEvent(new Event('offline'))
    expect(source.getState()).toMatchObject({ status: 'paused', cause: 'offline' })
    await vi.waitFor(async () => expect((await room.report()).streams).toBe(0))
    onLine.mockRestore()
    window.dispatchEvent(new Event('online'))
    await until(source, 'open')
    await room.publish('after')
    await vi.waitFor(() => expect(heard).toContainEqual(['after', false]))
    expect(source.getState().continuity).toBe('resumed')
  })

  it('that is put into the back/forward cache, the source lets go, and comes back with it', async () => {
    const room = enter()
    const { source } = open(room.url)
    await vi.waitFor(() => expect(source.cursor).not.toBe(''))
    window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
    expect(source.getState()).toMatchObject({ status: 'paused', cause: 'frozen' })
    await vi.waitFor(async () => expect((await room.report()).streams).toBe(0))
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    await until(source, 'open')
    expect(source.getState().continuity).toBe('resumed')
  })

  it('that has an element with an event of the same name, is not frozen by it', async () => {
    const { source } = open(enter().url)
    await until(source, 'open')
    document.body.dispatchEvent(new Event('freeze'))
    expect(source.getState().status).toBe('open')
    document.dispatchEvent(new Event('freeze'))
    expect(source.getState().status).toBe('paused')
    document.dispatchEvent(new Event('resume'))
    await until(source, 'open')
  })

  it('that is hidden, the source stays open, and lets go only by choice', async () => {
    const room = enter()
    const staying = open(room.url)
    const pausing = open(room.url, { pauseWhenHidden: true })
    await until(staying.source, 'open')
    await until(pausing.source, 'open')
    const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
    document.dispatchEvent(new Event('visibilitychange'))
    expect(staying.source.getState().status).toBe('open')
    expect(pausing.source.getState()).toMatchObject({ status: 'paused', cause: 'hidden' })
    await vi.waitFor(async () => expect((await room.report()).streams).toBe(1))
    await room.publish('meanwhile')
    visibility.mockRestore()
    document.dispatchEvent(new Event('visibilitychange'))
    await vi.waitFor(() => expect(pausing.heard).toEqual([['meanwhile', true]]), 5_000)
    expect(staying.heard).toEqual([['meanwhile', false]])
    expect(pausing.source.getState().continuity).toBe('resumed')
  })

  it('the seventh connection, for which a browser leaves no room over HTTP/1.1, says so', async () => {
    const six = Array.from({ length: 6 }, () => open(enter().url))
    for (const { source } of six) await until(source, 'open')
    const seventh = open(enter().url, { connectTimeout: 2_000 })
    await until(seventh.source, 'retrying')
    expect(seventh.source.getState().error).toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('six HTTP/1.1 connections'),
    })
    six[0]?.source.close()
    seventh.source.reconnect()
    await until(seventh.source, 'open')
  })

  it('a listener that throws stops nothing, and the page hears of its error', async () => {
    const room = enter()
    const { source } = open(room.url)
    await until(source, 'open')
    const reported: unknown[] = []
    const report = (event: ErrorEvent): void => {
      event.preventDefault()
      event.stopImmediatePropagation()
      reported.push(event.error)
    }
    window.addEventListener('error', report, { capture: true })
    try {
      source.on('note', () => {
        throw new Error('mine')
      })
      const heard = vi.fn()
      source.on('note', heard)
      await room.publish('a')
      await room.publish('b')
      await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2))
      await vi.waitFor(() => expect(reported).toEqual([new Error('mine'), new Error('mine')]))
      expect(source.getState().status).toBe('open')
    } finally {
      window.removeEventListener('error', report, { capture: true })
    }
  })
})
