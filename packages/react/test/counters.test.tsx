import { screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { useEventSource } from '../src/index.ts'
import { events } from './contract.ts'
import { mount } from './mount.tsx'
import { type StreamServer, startStreamServer } from './stream-server.ts'

type Seen = (title: string) => void

interface Props {
  readonly url: string
  /** What a parent gives anew in each render, and nothing depends on. */
  readonly turn: number
  readonly seen: Seen
}

/** Everything is made anew in each render. */
function Inline({ url, turn, seen }: Props) {
  const { status, latest } = useEventSource(url, {
    events,
    linger: 50,
    headers: { 'x-turn': String(turn) },
    when: () => undefined,
    on: { notification: ({ title }) => seen(title) },
    onResync: () => {},
    onError: () => {},
  })
  return <p>{`${status} ${latest.notification?.title ?? '-'}`}</p>
}

/** Nothing is made anew. */
const hoisted = { events, linger: 50, headers: { 'x-turn': '0' }, when: () => undefined }

function Hoisted({ url, seen }: Props) {
  const { status, latest } = useEventSource(url, {
    ...hoisted,
    on: { notification: ({ title }) => seen(title) },
  })
  return <p>{`${status} ${latest.notification?.title ?? '-'}`}</p>
}

/** The counters of a page: connections, renders and events. */
async function startPage(Live: typeof Inline, strict: boolean) {
  const server = await startStreamServer()
  const events: string[] = []
  let turn = 0
  const app = (path: string, key = 0) => {
    turn += 1
    return <Live key={key} url={server.url(path)} turn={turn} seen={(title) => events.push(title)} />
  }
  const page = mount(app('/a'), { strict })
  await screen.findByText('open -')
  return { server, page, app, events }
}

const send = (server: StreamServer, ...titles: readonly string[]) =>
  server.sendAll(titles.map((title) => ['notification', { title }] as const))

describe.each([
  { strict: false, options: 'inline', Live: Inline },
  { strict: true, options: 'inline', Live: Inline },
  { strict: false, options: 'hoisted', Live: Hoisted },
  { strict: true, options: 'hoisted', Live: Hoisted },
])('counted with $options options (StrictMode: $strict)', ({ strict, Live }) => {
  it('a mount is one connection, and a render for each change: connecting, open', async () => {
    const { server, page } = await startPage(Live, strict)
    expect(server.requests).toHaveLength(1)
    expect(page.commits).toBeLessThanOrEqual(3)
  })

  it('100 renders of a parent are no connection and 100 renders, and no event is lost or told twice', async () => {
    const { server, page, app, events } = await startPage(Live, strict)
    const before = page.commits
    for (let render = 0; render < 100; render += 1) page.rerender(app('/a'))
    expect(page.commits).toBe(before + 100)
    send(server, '1', '2', '3')
    await screen.findByText('open 3')
    expect(page.commits).toBe(before + 101)
    expect(events).toEqual(['1', '2', '3'])
    expect(server.requests).toHaveLength(1)
  })

  it('20 changes of the url are a connection each at most, the last one stays, and only its events are told', async () => {
    const { server, page, app, events } = await startPage(Live, strict)
    for (let change = 1; change <= 20; change += 1) page.rerender(app(`/${change}`))
    await screen.findByText('open -')
    await waitFor(() => expect(server.streams).toBe(1))
    for (let change = 1; change < 20; change += 1) server.send('notification', { title: 'old' }, `/${change}`)
    server.send('notification', { title: 'new' }, '/20')
    await screen.findByText('open new')
    expect(events).toEqual(['new'])
    expect(server.requests.length).toBeLessThanOrEqual(21)
    expect(new Set(server.requests.map(({ path }) => path)).size).toBe(server.requests.length)
  })

  it('50 times away and back are no connection, and no event is lost or told twice', async () => {
    const { server, page, app, events } = await startPage(Live, strict)
    for (let key = 1; key <= 50; key += 1) {
      page.rerender(null)
      page.rerender(app('/a', key))
    }
    send(server, '1', '2')
    await screen.findByText('open 2')
    expect(events).toEqual(['1', '2'])
    expect(server.requests).toHaveLength(1)
    expect(server.streams).toBe(1)
  })

  it('an unmount leaves no stream, and what comes later is a connection anew', async () => {
    const { server, page, app, events } = await startPage(Live, strict)
    page.rerender(null)
    await waitFor(() => expect(server.streams).toBe(0))
    page.rerender(app('/a', 1))
    await screen.findByText('open -')
    send(server, '1')
    await screen.findByText('open 1')
    expect(events).toEqual(['1'])
    expect(server.requests).toHaveLength(2)
  })
})
