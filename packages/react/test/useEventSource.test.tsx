import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createMockTransport } from '@sse/client/testing'
import { act, screen, waitFor } from '@testing-library/react'
import {
  createContext,
  type ReactElement,
  type ReactNode,
  useContext,
  useLayoutEffect,
  useState,
} from 'react'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createEventSource,
  EventSourceProvider,
  type EventSourceView,
  type Transport,
  type TypedEventSource,
  type UseEventSourceOptions,
  useEventSource,
} from '../src/index.ts'
import { type Events, events } from './contract.ts'
import { mount } from './mount.tsx'
import { startStreamServer } from './stream-server.ts'

type Source = TypedEventSource<Events> | string | null
type View = EventSourceView<Events>

const summary = ({ status, latest }: View) => `${status} ${latest.counter?.value ?? '-'}`

/** Shows what `show` reads of the stream. */
function Live({
  source,
  options,
  show = summary,
}: {
  readonly source: Source
  readonly options?: Omit<UseEventSourceOptions<Events>, 'events'>
  readonly show?: (view: View) => string | null | undefined
}) {
  const view = useEventSource(source, { ...options, events, on: { ...options?.on } })
  return <p>{show(view)}</p>
}

describe.each([{ strict: false }, { strict: true }])('useEventSource (StrictMode: $strict)', ({ strict }) => {
  it('opens the stream once mounted, and closes it once unmounted', async () => {
    const server = await startStreamServer()
    const { unmount } = mount(<Live source={server.url()} options={{ linger: 10 }} />, { strict })
    await screen.findByText('open -')
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    expect(server.requests).toHaveLength(1)
    unmount()
    await waitFor(() => expect(server.streams).toBe(0))
    expect(server.requests).toHaveLength(1)
  })

  it('takes a source as well as a url', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    mount(<Live source={live} />, { strict })
    await screen.findByText('open -')
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    expect(server.requests).toHaveLength(1)
  })

  it('calls the newest handler, for every event once and in order, and renders nothing for it', async () => {
    const server = await startStreamServer()
    const seen: string[] = []
    const app = (name: string) => (
      <Live
        source={server.url()}
        show={() => 'shown'}
        options={{ on: { notification: ({ title }) => seen.push(`${name}${title}`) } }}
      />
    )
    const page = mount(app('a'), { strict })
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('notification', { title: '1' })
    await waitFor(() => expect(seen).toEqual(['a1']))
    page.rerender(app('b'))
    const { commits } = page
    const titles = Array.from({ length: 1000 }, (_, index) => String(index))
    server.sendAll(titles.map((title) => ['notification', { title }] as const))
    await waitFor(() => expect(seen).toHaveLength(1001))
    expect(seen).toEqual(['a1', ...titles.map((title) => `b${title}`)])
    expect(page.commits).toBe(commits)
  })

  it('never connects anew for what is written inline', async () => {
    const server = await startStreamServer()
    const app = (index: number) => (
      <Live
        source={server.url()}
        options={{ headers: { 'x-index': String(index) }, when: () => undefined, on: { counter: () => {} } }}
      />
    )
    const page = mount(app(0), { strict })
    for (let index = 1; index <= 50; index += 1) page.rerender(app(index))
    await screen.findByText('open -')
    for (let index = 51; index <= 100; index += 1) page.rerender(app(index))
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    expect(server.requests).toHaveLength(1)
  })

  it('asks for the newest headers at each attempt', async () => {
    const server = await startStreamServer()
    const app = (token: string) => <Live source={server.url()} options={{ headers: () => ({ token }) }} />
    const page = mount(app('first'), { strict })
    await screen.findByText('open -')
    page.rerender(app('second'))
    server.drop()
    await waitFor(() =>
      expect(server.requests.map(({ headers }) => headers.token)).toEqual(['first', 'second']),
    )
  })

  it('starts clean with another url', async () => {
    const server = await startStreamServer()
    const shown: string[] = []
    const seen: number[] = []
    const app = (path: string) => (
      <Live
        source={server.url(path)}
        show={({ status, latest }) => {
          const text = `${path} ${status} ${latest.counter?.value ?? '-'}`
          shown.push(text)
          return text
        }}
        options={{ linger: 10, on: { counter: ({ value }) => seen.push(value) } }}
      />
    )
    const page = mount(app('/a'), { strict })
    await screen.findByText('/a open -')
    server.send('counter', { value: 1 }, '/a')
    await screen.findByText('/a open 1')
    page.rerender(app('/b'))
    server.send('counter', { value: 2 }, '/a')
    await screen.findByText('/b open -')
    server.send('counter', { value: 3 }, '/b')
    await screen.findByText('/b open 3')
    expect(seen).toEqual([1, 3])
    expect(shown.filter((text) => text.startsWith('/b') && /[12]$/.test(text))).toEqual([])
    expect(server.requests.map(({ path }) => path)).toEqual(['/a', '/b'])
    await waitFor(() => expect(server.streams).toBe(1))
  })

  it('opens nothing for null, and follows a url that comes and goes', async () => {
    const server = await startStreamServer()
    const app = (source: Source) => <Live source={source} options={{ linger: 10 }} />
    const page = mount(app(null), { strict })
    expect(screen.getByText('idle -')).toBeDefined()
    expect(server.requests).toHaveLength(0)
    page.rerender(app(server.url()))
    await screen.findByText('open -')
    page.rerender(app(null))
    expect(screen.getByText('idle -')).toBeDefined()
    await waitFor(() => expect(server.streams).toBe(0))
    expect(server.requests).toHaveLength(1)
  })

  it('shares one connection among all components of a url', async () => {
    const server = await startStreamServer()
    mount(
      <div>
        {['a', 'b', 'c'].map((name) => (
          <Live
            key={name}
            source={server.url()}
            show={({ status, latest }) => `${name} ${status} ${latest.counter?.value}`}
          />
        ))}
      </div>,
      { strict },
    )
    await screen.findByText('c open undefined')
    server.send('counter', { value: 1 })
    await screen.findByText('a open 1')
    await screen.findByText('b open 1')
    await screen.findByText('c open 1')
    expect(server.requests).toHaveLength(1)
  })

  it('keeps its connection through a burst of unmounting and mounting', async () => {
    const server = await startStreamServer()
    const seen: number[] = []
    const app = (key: number) => (
      <Live key={key} source={server.url()} options={{ on: { counter: ({ value }) => seen.push(value) } }} />
    )
    const page = mount(app(0), { strict })
    for (let key = 1; key <= 30; key += 1) {
      page.rerender(null)
      page.rerender(app(key))
    }
    await screen.findByText('open -')
    for (let key = 31; key <= 60; key += 1) page.rerender(app(key))
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    expect(seen).toEqual([1])
    expect(server.requests).toHaveLength(1)
  })

  it('comes back after a lost connection with the last event id', async () => {
    const server = await startStreamServer()
    mount(<Live source={server.url()} />, { strict })
    await screen.findByText('open -')
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    server.drop()
    await waitFor(() => expect(server.requests).toHaveLength(2))
    expect(server.requests[1]?.lastEventId).toBe('e-1')
    await screen.findByText('open 1')
  })
})

describe('useEventSource renders', () => {
  it('for the state alone, where only that is read', async () => {
    const server = await startStreamServer()
    const page = mount(<Live source={server.url()} show={({ status }) => status} />)
    await screen.findByText('open')
    const { commits } = page
    const seen = createEventSource(server.url(), { events })
    const counted: number[] = []
    seen.on('counter', ({ value }) => counted.push(value))
    await waitFor(() => expect(server.streams).toBe(2))
    server.send('counter', { value: 1 })
    await waitFor(() => expect(counted).toEqual([1]))
    await nextFrame()
    expect(page.commits).toBe(commits)
    seen.close()
    server.drop()
    await waitFor(() => expect(page.commits).toBeGreaterThan(commits))
  })

  it('for the payloads alone, where only those are read', async () => {
    const server = await startStreamServer()
    const page = mount(<Live source={server.url()} show={({ latest }) => String(latest.counter?.value)} />)
    await waitFor(() => expect(server.streams).toBe(1))
    expect(page.commits).toBe(1)
    server.send('counter', { value: 1 })
    await screen.findByText('1')
    expect(page.commits).toBe(2)
    server.drop()
    await waitFor(() => expect(server.requests).toHaveLength(2))
    await nextFrame()
    expect(page.commits).toBe(2)
  })

  it('for what an earlier render read, and shows what is first read later as it is then', async () => {
    const server = await startStreamServer()
    const app = (read: boolean) => (
      <Live source={server.url()} show={(view) => (read ? String(view.latest.counter?.value) : 'unread')} />
    )
    const page = mount(app(false))
    await waitFor(() => expect(server.streams).toBe(1))
    const live = createEventSource(server.url(), { events })
    const counted: number[] = []
    live.on('counter', ({ value }) => counted.push(value))
    await waitFor(() => expect(server.streams).toBe(2))
    server.send('counter', { value: 1 })
    await waitFor(() => expect(counted).toEqual([1]))
    live.close()
    await nextFrame()
    expect(page.commits).toBe(1)
    page.rerender(app(true))
    expect(page.commits).toBe(2)
    expect(screen.getByText('1')).toBeDefined()
    page.rerender(app(false))
    server.send('counter', { value: 2 })
    await waitFor(() => expect(page.commits).toBe(4))
  })

  it('for the state with the payloads that others wait for: none is ahead of another', async () => {
    const mock = createMockTransport(events, { now: Date.now() })
    const live = createEventSource('/events', { events, transport: mock })
    mount(
      <div>
        <Live source={live} />
        <Live source={live} show={({ latest }) => `counter ${latest.counter?.value}`} />
      </div>,
    )
    await act(() => mock.settle())
    act(() => {
      mock.at('/events').emit('counter', { value: 1 })
      mock.at('/events').drop()
    })
    expect(screen.getByText('retrying 1')).toBeDefined()
    expect(screen.getByText('counter 1')).toBeDefined()
  })

  it('at most once a frame, however many events come, and the handlers miss none', async () => {
    const server = await startStreamServer()
    let handled = 0
    let frames = 0
    const page = mount(
      <Live
        source={server.url()}
        options={{ on: { counter: () => (handled += 1) } }}
        show={({ latest }) => String(latest.counter?.value)}
      />,
    )
    await waitFor(() => expect(server.streams).toBe(1))
    const frame = () => {
      frames += 1
      running = requestAnimationFrame(frame)
    }
    let running = requestAnimationFrame(frame)
    for (let burst = 0; burst < 100; burst += 1) {
      server.sendAll(
        Array.from({ length: 100 }, (_, index) => ['counter', { value: burst * 100 + index }] as const),
      )
      await new Promise((resolve) => setImmediate(resolve))
    }
    await screen.findByText('9999', {}, { timeout: 5000 })
    cancelAnimationFrame(running)
    expect(handled).toBe(10_000)
    expect(page.commits).toBeLessThanOrEqual(frames + 2)
  })
})

describe('useEventSource', () => {
  it('takes a key for one of several sources of its url, and no more', async () => {
    const server = await startStreamServer()
    const both = (path: string) => (
      <div>
        <Live source={server.url('/a')} options={{ key: 'wren' }} show={(view) => `first ${summary(view)}`} />
        <Live
          source={server.url(path)}
          options={{ key: 'wren' }}
          show={(view) => `second ${summary(view)}`}
        />
      </div>
    )
    const page = mount(both('/a'))
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('counter', { value: 1 }, '/a')
    await screen.findByText('second open 1')
    page.rerender(both('/b'))
    await screen.findByText('second open -')
    server.send('counter', { value: 2 }, '/b')
    await screen.findByText('second open 2')
    expect(screen.getByText('first open 1')).toBeDefined()
  })

  it('sends headers no longer that a component took back, but those of another one', async () => {
    const server = await startStreamServer()
    const tokens = () => server.requests.map(({ headers }) => headers.token)
    const app = (first?: string, second?: string) => (
      <div>
        <Live source={server.url()} options={{ headers: first ? { token: first } : undefined }} />
        <Live source={server.url()} options={{ headers: second ? { token: second } : undefined }} />
      </div>
    )
    const page = mount(app('first'))
    await waitFor(() => expect(tokens()).toEqual(['first']))
    page.rerender(app('first', 'second'))
    page.rerender(app(undefined, 'second'))
    server.drop()
    await waitFor(() => expect(tokens()).toEqual(['first', 'second']))
    page.rerender(app())
    server.drop()
    await waitFor(() => expect(tokens()).toEqual(['first', 'second', undefined]))
  })

  it('sends the headers of those who are there: of another one again, and of nobody who is gone', async () => {
    const mock = createMockTransport(events)
    const give = (token: string | undefined) => (token ? { token } : undefined)
    const app = (first: string | undefined, second: string | undefined, gone: boolean) => (
      <EventSourceProvider transport={mock}>
        <Live source="/events" options={{ headers: give(first) }} />
        {!gone && <Live source="/events" options={{ headers: give(second) }} />}
      </EventSourceProvider>
    )
    const page = mount(app('a', 'b', false))
    const again = async (element: ReactElement) => {
      page.rerender(element)
      await act(async () => {
        await mock.settle()
        mock.at('/events').drop()
        await mock.advance(10_000)
      })
      return mock.at('/events').requests.at(-1)?.headers
    }
    expect(await again(app('a', 'b', false))).toEqual({ token: 'b' })
    expect(await again(app('a', undefined, false))).toEqual({ token: 'a' })
    expect(await again(app(undefined, 'c', false))).toEqual({ token: 'c' })
    expect(await again(app(undefined, 'c', true))).toEqual({})
  })

  it('sends the headers of who left last, once all are gone', async () => {
    const mock = createMockTransport(events)
    const live = (token: string) => (
      <Live key={token} source="/events" options={{ headers: { token }, linger: 60_000 }} />
    )
    const first = live('a')
    const app = (children: ReactNode) => (
      <EventSourceProvider transport={mock}>{children}</EventSourceProvider>
    )
    const page = mount(app([first, live('b')]))
    await act(() => mock.settle())
    page.rerender(app([first])) // the same element, which is not rendered anew
    page.rerender(app([]))
    mock.at('/events').drop()
    await mock.advance(10_000)
    expect(mock.at('/events').requests.map(({ headers }) => headers.token)).toEqual(['b', 'a'])
  })

  it('sends a request that is not GET again for a body that it had before', async () => {
    const mock = createMockTransport(events)
    const app = (body: string) => (
      <EventSourceProvider transport={mock}>
        <Live source="/ask" options={{ method: 'POST', body }} />
      </EventSourceProvider>
    )
    const page = mount(app('a'))
    for (const body of ['b', 'a']) {
      await act(async () => {
        await mock.settle()
        mock.at('/ask').close('done')
        await mock.advance(5_000)
      })
      page.rerender(app(body))
    }
    await act(() => mock.settle())
    expect(mock.at('/ask').requests.map(({ body }) => body)).toEqual(['a', 'b', 'a'])
  })

  it('resumes for who comes back, whatever was collected meanwhile', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const mock = createMockTransport(events)
    const app = (shown: boolean) => (
      <EventSourceProvider transport={mock}>{shown && <Live source="/left" />}</EventSourceProvider>
    )
    const page = mount(app(true))
    await act(() => mock.settle())
    act(() => mock.at('/left').emit('counter', { value: 1 }))
    page.rerender(app(false))
    await act(() => mock.advance(5_000))
    mock.at('/left').emit('notification', { title: 'missed' })
    for (let pass = 0; pass < 3; pass += 1) {
      page.rerender(app(false))
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    page.rerender(app(true))
    await act(() => mock.settle())
    expect(screen.getByText('open 1')).toBeDefined()
    expect(mock.at('/left').requests.map(({ cursor }) => cursor !== '')).toEqual([false, true])
  })

  it('has the verdict of nobody who took it back', async () => {
    const server = await startStreamServer()
    const app = (retries: boolean) => (
      <Live source={server.url()} options={{ when: retries ? () => true : undefined }} />
    )
    const page = mount(app(true))
    await screen.findByText('open -')
    page.rerender(app(false))
    server.refuse(404)
    server.drop()
    await screen.findByText('failed -')
    expect(server.requests).toHaveLength(2)
  })

  it('lets other components of a url leave its options out', async () => {
    const warn = vi.spyOn(console, 'warn')
    const server = await startStreamServer()
    const seen: unknown[] = []
    mount(
      <div>
        <Live source={server.url()} options={{ headers: { token: 'a' } }} />
        <Untyped url={server.url()} onMessage={() => {}} onCounter={(data) => seen.push(data)} />
      </div>,
    )
    await screen.findByText('open -')
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    expect(seen).toEqual([{ value: 1 }])
    expect(server.requests.map(({ headers }) => headers.token)).toEqual(['a'])
    expect(warn).not.toHaveBeenCalled()
  })

  it('shares a request that is not GET by its key', async () => {
    const server = await startStreamServer()
    const options = { method: 'POST', key: server.url() }
    mount(
      <div>
        <Live source={server.url()} options={options} show={({ status }) => `a ${status}`} />
        <Live source={server.url()} options={options} show={({ status }) => `b ${status}`} />
      </div>,
      { strict: true },
    )
    await screen.findByText('a open')
    await screen.findByText('b open')
    expect(server.requests).toHaveLength(1)
  })

  it('sends a request that is not GET once, and anew only for another body', async () => {
    const server = await startStreamServer()
    const app = (body: string) => (
      <Live source={server.url()} options={{ method: 'POST', body, linger: 10 }} />
    )
    const page = mount(app('a'), { strict: true })
    await screen.findByText('open -')
    page.rerender(app('a'))
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    page.rerender(app('b'))
    await screen.findByText('open -')
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'POST'])
  })

  it('gives the same reconnect function in every render, and connects at once when called', async () => {
    const server = await startStreamServer()
    const given = new Set<() => void>()
    mount(
      <Live
        source={server.url()}
        show={({ status, reconnect }) => {
          given.add(reconnect)
          return status
        }}
      />,
    )
    await screen.findByText('open')
    const [reconnect] = given
    act(() => reconnect?.())
    await waitFor(() => expect(server.requests).toHaveLength(2))
    expect(given.size).toBe(1)
  })

  it('keeps a view as it was, for closures that outlive the render', async () => {
    const server = await startStreamServer()
    const views: View[] = []
    mount(
      <Live
        source={server.url()}
        show={(view) => {
          views.push(view)
          return `${view.status} ${view.latest.counter?.value}`
        }}
      />,
    )
    await screen.findByText('open undefined')
    const [first] = views
    server.send('counter', { value: 1 })
    await screen.findByText('open 1')
    expect(first?.status).toBe('idle')
    expect(first?.latest.counter).toBeUndefined()
    expect(views.at(-1)).not.toBe(first)
  })

  it('tells of a gap, and of a lost connection', async () => {
    const server = await startStreamServer()
    const told: string[] = []
    mount(
      <Live
        source={server.url()}
        options={{
          onResync: ({ reason }) => told.push(reason),
          onError: ({ kind }) => told.push(kind),
        }}
      />,
    )
    await screen.findByText('open -')
    server.gap()
    await waitFor(() => expect(told).toEqual(['evicted']))
    server.drop()
    await waitFor(() => expect(told).toEqual(['evicted', 'network']))
  })

  it('stays closed when the server has ended the stream', async () => {
    const server = await startStreamServer()
    mount(<Live source={server.url()} show={({ status, reason }) => `${status} ${reason}`} />)
    await screen.findByText('open undefined')
    server.end('over')
    await screen.findByText('closed over')
    expect(server.requests).toHaveLength(1)
  })

  it('has the status of a refusal', async () => {
    const server = await startStreamServer()
    server.refuse(403)
    mount(<Live source={server.url()} show={({ status, error }) => `${status} ${error?.status}`} />)
    await screen.findByText('failed 403')
    expect(server.requests).toHaveLength(1)
  })

  it('takes keyed state as a record', async () => {
    const server = await startStreamServer()
    mount(<Live source={server.url()} show={({ latest }) => JSON.stringify(latest.quote)} />)
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('quote', { symbol: 'A', price: 1 })
    server.send('quote', { symbol: 'B', price: 2 })
    server.send('quote', { symbol: 'A', price: 3 })
    await screen.findByText('{"A":{"symbol":"A","price":3},"B":{"symbol":"B","price":2}}')
  })

  it('is up to date for who reads it first, and is mounted later', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    mount(
      <Sharing source={live}>
        <Later />
      </Sharing>,
    )
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('counter', { value: 5 })
    await waitFor(() => expect(live.getLatest().counter?.value).toBe(5))
    await act(async () => screen.getByText('show').click())
    await screen.findByText('open 5')
  })

  it('has what the former url still says go to the handlers that were written for it', async () => {
    const transport = createMockTransport(events)
    const seen: string[] = []
    const room = (url: string, moved = ignore) => (
      <Room url={url} transport={transport} heard={(what) => seen.push(what)} moved={moved} />
    )
    const page = mount(room('/a'))
    await act(() => transport.settle())
    act(() => transport.at('/a').emit('counter', { value: 1 }))
    page.rerender(room('/b', () => transport.at('/a').emit('counter', { value: 2 })))
    expect(seen).toEqual(['/a 1', '/a 2'])
  })

  it('reports an event that breaks the contract where nobody handles errors', async () => {
    const server = await startStreamServer()
    const report = vi.fn()
    vi.stubGlobal('reportError', report)
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
    const onError = vi.fn()
    const page = mount(<Live source={server.url()} />)
    await screen.findByText('open -')
    server.send('quote', { price: 1 })
    await waitFor(() => expect(report).toHaveBeenCalledTimes(1))
    expect(report.mock.calls[0]?.[0]).toMatchObject({ kind: 'contract' })
    page.rerender(<Live source={server.url()} options={{ onError }} />)
    server.send('quote', { price: 2 })
    await waitFor(() => expect(onError).toHaveBeenCalledTimes(1))
    expect(report).toHaveBeenCalledTimes(1)
  })

  it('calls no handler for an event named like a method of every object', async () => {
    const server = await startStreamServer()
    const seen: unknown[] = []
    mount(<Untyped url={server.url()} onMessage={(data) => seen.push(data)} />)
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('constructor', 1)
    server.send('__proto__', 1)
    server.send('toString', 1)
    server.send('message', 2)
    await waitFor(() => expect(seen).toEqual([2]))
  })
})

const ignore = () => {}

const Shared = createContext<View | undefined>(undefined)

/** Reads nothing of what it shares. */
function Sharing({
  source,
  children,
}: {
  readonly source: TypedEventSource<Events>
  readonly children: ReactNode
}) {
  return (
    <Shared.Provider value={useEventSource(source, { on: { notification: ignore } })}>
      {children}
    </Shared.Provider>
  )
}

function Later() {
  const [shown, setShown] = useState(false)
  return shown ? (
    <Reading />
  ) : (
    <button type="button" onClick={() => setShown(true)}>
      show
    </button>
  )
}

function Reading() {
  const view = useContext(Shared)
  return <p>{view && summary(view)}</p>
}

function Room({
  url,
  transport,
  heard,
  moved,
}: {
  readonly url: string
  readonly transport: Transport
  readonly heard: (what: string) => void
  readonly moved: () => void
}) {
  useEventSource(url, { events, transport, on: { counter: ({ value }) => heard(`${url} ${value}`) } })
  // After this render's handlers were set, and before its listeners are.
  useLayoutEffect(moved)
  return null
}

function Untyped({
  url,
  onMessage,
  onCounter = ignore,
}: {
  readonly url: string
  readonly onMessage: (data: unknown) => void
  readonly onCounter?: (data: unknown) => void
}) {
  useEventSource(url, { on: { message: onMessage, counter: onCounter } })
  return null
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
