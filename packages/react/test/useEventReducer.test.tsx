import { createMockTransport } from '@sse/client/testing'
import { act, screen, waitFor } from '@testing-library/react'
import { describe, expect, it, vi } from 'vitest'
import { flushFrame } from '../src/frame.ts'
import {
  createEventSource,
  EventSourceProvider,
  type TypedEventSource,
  useEventReducer,
  useEventSource,
} from '../src/index.ts'
import { type Events, events, type Notice } from './contract.ts'
import { mount } from './mount.tsx'
import { startStreamServer } from './stream-server.ts'

type Source = TypedEventSource<Events> | string | null

function Notices({ source, label = 'notices' }: { readonly source: Source; readonly label?: string }) {
  const notices = useEventReducer(source, {
    events,
    initial: [] as Notice[],
    reduce: { notification: (list, notice) => [...list, notice] },
    onGap: (list) => [...list, { title: '(some are missing)' }],
  })
  return (
    <p>
      {label}: {notices.map(({ title }) => title).join()}
    </p>
  )
}

function Matching({ source, word }: { readonly source: Source; readonly word: string }) {
  const count = useEventReducer(source, {
    events,
    name: word,
    initial: 0,
    reduce: { notification: (sum, { title }) => (title.includes(word) ? sum + 1 : sum) },
  })
  return (
    <p>
      {word} {count}
    </p>
  )
}

function Anonymous({ source, word }: { readonly source: Source; readonly word: string }) {
  const count = useEventReducer(source, {
    events,
    initial: 0,
    reduce: { notification: (total, { title }) => (title === word ? total + 1 : total) },
  })
  return (
    <p>
      {word} {count}
    </p>
  )
}

function Prefixed({ source, prefix }: { readonly source: Source; readonly prefix: string }) {
  const words = useEventReducer(source, {
    events,
    initial: '',
    reduce: { notification: (before, { title }) => before + prefix + title },
    onGap: (before) => `${before}${prefix}!`,
  })
  return <p>{words}</p>
}

function Known({ source, names }: { readonly source: Source; readonly names: string[] | undefined }) {
  const count = useEventReducer(source, {
    events,
    initial: 0,
    reduce: { notification: (sum, { title }) => (must(names).includes(title) ? sum + 1 : sum) },
  })
  return <p>{count} known</p>
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('There is none.')
  return value
}

function Total({ source }: { readonly source: Source }) {
  const total = useEventReducer(source, {
    events,
    initial: { sum: 0, count: 0 },
    reduce: { counter: ({ sum, count }, { value }) => ({ sum: sum + value, count: count + 1 }) },
  })
  return (
    <p>
      {total.count} {total.sum}
    </p>
  )
}

function Messages({ source }: { readonly source: string }) {
  const count = useEventReducer(source, { initial: 0, reduce: { message: (sum) => sum + 1 } })
  return <p>{`${count} messages`}</p>
}

function Held({ source }: { readonly source: TypedEventSource<Events> }) {
  const { status } = useEventSource(source)
  return <p>{status}</p>
}

describe.each([{ strict: false }, { strict: true }])(
  'useEventReducer (StrictMode: $strict)',
  ({ strict }) => {
    it('adds up every event exactly once', async () => {
      const server = await startStreamServer()
      mount(<Total source={server.url()} />, { strict })
      await waitFor(() => expect(server.streams).toBe(1))
      for (let burst = 0; burst < 10; burst += 1) {
        server.sendAll(Array.from({ length: 100 }, () => ['counter', { value: 1 }] as const))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await screen.findByText('1000 1000')
      expect(server.requests).toHaveLength(1)
    })

    it('shows one result to all components of a source, however late they come', async () => {
      const server = await startStreamServer()
      const live = createEventSource(server.url(), { events })
      const page = mount(<Notices source={live} label="first" />, { strict })
      await waitFor(() => expect(server.streams).toBe(1))
      server.send('notification', { title: 'a' })
      await screen.findByText('first: a')
      page.rerender(
        <>
          <Notices source={live} label="first" />
          <Notices source={live} label="second" />
        </>,
      )
      expect(screen.getByText('second: a')).toBeDefined()
      server.send('notification', { title: 'b' })
      await screen.findByText('first: a,b')
      expect(screen.getByText('second: a,b')).toBeDefined()
    })

    it('goes on while no component looks, as long as the source is open', async () => {
      const server = await startStreamServer()
      const live = createEventSource(server.url(), { events })
      const seen: string[] = []
      live.on('notification', ({ title }) => seen.push(title), { passive: true })
      const app = (open: boolean) => (
        <>
          <Held source={live} />
          {open && <Notices source={live} />}
        </>
      )
      const page = mount(app(true), { strict })
      await screen.findByText('open')
      server.send('notification', { title: 'a' })
      await screen.findByText('notices: a')
      page.rerender(app(false))
      server.send('notification', { title: 'b' })
      await waitFor(() => expect(seen).toEqual(['a', 'b']))
      page.rerender(app(true))
      expect(screen.getByText('notices: a,b')).toBeDefined()
      expect(server.requests).toHaveLength(1)
    })
  },
)

function Badge() {
  return (
    <p>{useEventReducer('/named', { events, initial: 0, reduce: { notification: (sum) => sum + 0.5 } })}</p>
  )
}

// React Compiler names it otherwise than that of the badge.
function Title() {
  return (
    <p>{useEventReducer('/named', { events, initial: 0, reduce: { notification: (sum) => sum + 0.5 } })}</p>
  )
}

describe('useEventReducer', () => {
  it('tells reducers with the same code apart by name', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    mount(
      <>
        <Matching source={live} word="red" />
        <Matching source={live} word="blue" />
      </>,
    )
    await waitFor(() => expect(server.streams).toBe(1))
    for (const title of ['red', 'blue', 'red']) server.send('notification', { title })
    await screen.findByText('red 2')
    await screen.findByText('blue 1')
  })

  it('shares by code, whatever its functions are named', async () => {
    const mock = createMockTransport(events)
    const app = (titled: boolean) => (
      <EventSourceProvider transport={mock}>
        <Badge />
        {titled && <Title />}
      </EventSourceProvider>
    )
    const page = mount(app(false))
    await act(() => mock.settle())
    await act(async () => mock.at('/named').emit('notification', { title: 'a' }))
    await screen.findByText('0.5')
    page.rerender(app(true))
    expect(screen.getAllByText('0.5')).toHaveLength(2)
  })

  it('warns in development of reducers with the same code that are not the same', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    mount(
      <>
        <Anonymous source={live} word="red" />
        <Anonymous source={live} word="red" />
        <Total source={live} />
        <Total source={live} />
      </>,
    )
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('notification', { title: 'red' })
    server.send('counter', { value: 1 })
    await waitFor(() => expect(screen.getAllByText('red 1')).toHaveLength(2))
    await screen.findAllByText('1 1')
    expect(warn).not.toHaveBeenCalled()

    mount(<Anonymous source={live} word="blue" />)
    server.send('notification', { title: 'green' })
    server.send('notification', { title: 'blue' })
    await waitFor(() => expect(warn).toHaveBeenCalledWith(expect.stringContaining("in 'name'")))
    server.send('notification', { title: 'blue' })
    await screen.findByText('blue 3')
    expect(warn).toHaveBeenCalledTimes(1)
  })

  it('warns in development of a prop that changed and is not in the name', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    const page = mount(<Prefixed source={live} prefix="a" />)
    await waitFor(() => expect(server.streams).toBe(1))
    page.rerender(<Prefixed source={live} prefix="b" />)
    server.send('notification', { title: '1' })
    await screen.findByText('b1')
    expect(warn).toHaveBeenCalledTimes(1)
  })

  it('takes an event where the functions of the render before would have thrown', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    const page = mount(<Known source={live} names={undefined} />)
    await waitFor(() => expect(server.streams).toBe(1))
    page.rerender(<Known source={live} names={['Wren']} />)
    server.send('notification', { title: 'Wren' })
    await screen.findByText('1 known')
  })

  it('goes on with the functions of the last render', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    const page = mount(<Prefixed source={live} prefix="a" />)
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('notification', { title: '1' })
    await screen.findByText('a1')
    page.rerender(<Prefixed source={live} prefix="b" />)
    server.send('notification', { title: '2' })
    await screen.findByText('a1b2')
    server.gap()
    await screen.findByText('a1b2b!')
  })

  it('lets the reducer say what a gap means, in its place', async () => {
    const server = await startStreamServer()
    mount(<Notices source={server.url()} />)
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('notification', { title: 'a' })
    server.gap()
    server.send('notification', { title: 'b' })
    await screen.findByText('notices: a,(some are missing),b')
  })

  it('starts clean with another url', async () => {
    const server = await startStreamServer()
    const page = mount(<Notices source={server.url('/a')} />)
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('notification', { title: 'a' })
    await screen.findByText('notices: a')
    page.rerender(<Notices source={server.url('/b')} />)
    expect(screen.getByText('notices:')).toBeDefined()
    await waitFor(() => expect(server.requests).toHaveLength(2))
  })

  it('takes no method of every object for a reducer', async () => {
    const server = await startStreamServer()
    mount(<Messages source={server.url()} />)
    await waitFor(() => expect(server.streams).toBe(1))
    for (const name of ['constructor', 'toString', 'valueOf', 'message']) server.send(name, {})
    await screen.findByText('1 messages')
  })

  it('is the initial state for null', () => {
    mount(<Total source={null} />)
    expect(screen.getByText('0 0')).toBeDefined()
  })

  it('commits once for the events of a frame', async () => {
    const server = await startStreamServer()
    let counted = 0
    const live = createEventSource(server.url(), { events })
    const page = mount(<Total source={live} />)
    live.on('counter', () => (counted += 1), { passive: true })
    await waitFor(() => expect(server.streams).toBe(1))
    const frames: FrameRequestCallback[] = []
    vi.spyOn(globalThis, 'requestAnimationFrame').mockImplementation((frame) => frames.push(frame))
    // Where the machine is busy, what serves hidden pages would be sooner than the test.
    const later = setTimeout
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void, delay?: number) =>
      later(callback, callback === flushFrame ? 60_000 : delay)) as typeof setTimeout)
    for (let burst = 1; burst <= 5; burst += 1) {
      server.sendAll(Array.from({ length: 100 }, () => ['counter', { value: 1 }] as const))
      await vi.waitFor(() => expect(counted).toBe(burst * 100), { interval: 1 })
    }
    expect(frames).toHaveLength(1)
    expect(page.commits).toBe(1)
    act(() => frames[0]?.(0))
    expect(screen.getByText('500 500')).toBeDefined()
    expect(page.commits).toBe(2)
  })

  it('commits in a hidden tab as well, where frames stop', async () => {
    const server = await startStreamServer()
    vi.spyOn(globalThis, 'requestAnimationFrame').mockImplementation(() => 0)
    mount(<Total source={server.url()} />)
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('counter', { value: 5 })
    await screen.findByText('1 5')
  })
})
