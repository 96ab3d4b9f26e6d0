import { defineEvents, payload } from '@sse/contract'
import { createSession, type Session } from 'better-sse'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEventSource, type EventSourceOptions, type TypedEventSource } from '../src/index.ts'
import { type Answer, serve, tap } from './endpoint.ts'

const events = defineEvents({ note: payload<string>(), message: payload<string>() })
type E = typeof events

const opened: TypedEventSource<E>[] = []
function open(url: string, options: EventSourceOptions<E> = {}): TypedEventSource<E> {
  const source = createEventSource<E>(url, { events, ...options })
  opened.push(source)
  source.open()
  return source
}
afterEach(() => {
  for (const source of opened.splice(0)) source.close()
})

describe('with better-sse', () => {
  const sessions: Session[] = []
  const answer =
    (retry: number, keepAlive: number | null = null): Answer =>
    (req, res) => {
      createSession(req, res, { retry, keepAlive }).then((session) => sessions.push(session))
    }
  afterEach(() => void sessions.splice(0))

  it('events arrive, and a reconnection sends the last id and says that something may be missing', async () => {
    await using endpoint = await serve(answer(100))
    const source = open(endpoint.url)
    const heard: unknown[] = []
    const resync = vi.fn()
    source.on('*', ({ event, data }) => heard.push([event, data]))
    source.onResync(resync)
    await vi.waitFor(() => expect(sessions).toHaveLength(1))
    sessions[0]?.push('a', 'note', 'id-1').push('b')
    await vi.waitFor(() => expect(heard).toHaveLength(2))
    expect(heard).toEqual([
      ['note', 'a'],
      ['message', 'b'],
    ])
    expect(source.getState().continuity).toBe('fresh')
    const { cursor } = source
    expect(cursor).not.toBe('')
    endpoint.requests[0]?.socket.destroy()
    await vi.waitFor(() => expect(sessions).toHaveLength(2), 5_000)
    expect(sessions[1]?.lastId).toBe(cursor)
    sessions[1]?.push('c', 'note', 'id-2')
    await vi.waitFor(() => expect(heard).toContainEqual(['note', 'c']))
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'gap' })
    expect(resync).toHaveBeenCalledTimes(1)
  })

  it('its comments count as heartbeats, and their absence as silence', async () => {
    await using endpoint = await serve(answer(100, 50), answer(100))
    let received = ''
    const source = open(endpoint.url, {
      heartbeat: 500,
      fetch: tap((text) => {
        received += text
      }),
    })
    const states: (string | boolean | undefined)[] = []
    source.subscribe(() => {
      const { status, stale } = source.getState()
      states.push(status, stale)
    })
    await vi.waitFor(() => expect(source.getState().status).toBe('open'))
    await vi.waitFor(() => expect(received.match(/^:/gm)?.length).toBeGreaterThan(20), 5_000)
    expect(source.getState()).toMatchObject({ status: 'open', stale: false })
    expect(endpoint.requests).toHaveLength(1)
    source.reconnect()
    await vi.waitFor(() => expect(source.getState().error).toMatchObject({ kind: 'stale' }), 10_000)
    expect(states).toContain(true)
  }, 30_000)
})

describe('with a server that misbehaves', () => {
  const raw =
    (...chunks: readonly string[]): Answer =>
    (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      for (const chunk of chunks) res.write(chunk)
    }

  it('every line end counts, as do a byte order mark and fields without a colon', async () => {
    await using endpoint = await serve(
      raw(
        '\uFEFFevent: note\rdata: "cr"\r\r',
        'event:note\r\ndata:"crlf"\r\n\r\ndata\n\n',
        ': hm\ndata: "lf"\n\n',
      ),
    )
    const source = open(endpoint.url)
    const heard: unknown[] = []
    const errors = vi.fn()
    source.onError(errors)
    source.on('*', ({ event, data }) => heard.push([event, data]))
    await vi.waitFor(() => expect(heard).toHaveLength(3))
    expect(heard).toEqual([
      ['note', 'cr'],
      ['note', 'crlf'],
      ['message', 'lf'],
    ])
    // The field without a value is an event with empty data, which is no JSON.
    expect(errors).toHaveBeenCalledTimes(1)
  })

  it('malformed control events are errors, and unknown ones of a later version are none', async () => {
    await using endpoint = await serve(
      raw(
        'event: sse.open\ndata: {"heartbeat":"often"}\n\n',
        'event: sse.gap\ndata: no json\n\n',
        'event: sse.later\ndata: {}\n\n',
        'event: note\ndata: "a"\n\n',
      ),
    )
    const source = open(endpoint.url)
    const kinds: string[] = []
    source.onError(({ kind }) => kinds.push(kind))
    await vi.waitFor(() => expect(source.getLatest().note).toBe('a'))
    expect(kinds).toEqual(['contract', 'contract'])
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'fresh' })
  })

  it('an id with NUL does not move the cursor, and an empty one forgets it', async () => {
    await using endpoint = await serve(
      raw('id: one\ndata: "a"\n\n', 'id: t\0wo\ndata: "b"\n\n', 'id\ndata: "c"\n\n'),
    )
    const source = open(endpoint.url)
    const ids: string[] = []
    source.on('message', (_data, { id }) => ids.push(id))
    await vi.waitFor(() => expect(ids).toEqual(['one', 'one', '']))
    expect(source.cursor).toBe('')
  })
})
