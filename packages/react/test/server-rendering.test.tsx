import { render, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createEventSource,
  EventSourceProvider,
  type TypedEventSource,
  useCountdown,
  useEventReducer,
  useEventSource,
  useLatest,
} from '../src/index.ts'
import { type Events, events } from './contract.ts'
import { startStreamServer } from './stream-server.ts'

function Page({ source, url }: { readonly source: TypedEventSource<Events>; readonly url: string }) {
  return (
    <EventSourceProvider>
      <Live source={source} />
      <Live source={url} />
      <Derived source={source} />
    </EventSourceProvider>
  )
}

function Both({ source }: { readonly source: TypedEventSource<Events> }) {
  return (
    <>
      <Live source={source} />
      <Derived source={source} />
    </>
  )
}

function Live({ source }: { readonly source: TypedEventSource<Events> | string }) {
  const { status, latest, retryAt } = useEventSource(source, { events, on: { counter: () => {} } })
  const seconds = useCountdown(retryAt)
  return <p>{`${status} ${latest.counter?.value ?? '-'} ${seconds}`}</p>
}

function Derived({ source }: { readonly source: TypedEventSource<Events> }) {
  const value = useLatest(source, 'counter', (counter) => counter?.value)
  const sum = useEventReducer(source, {
    initial: 0,
    reduce: { counter: (total, counter) => total + counter.value },
  })
  return <p>{`${value ?? '-'} ${sum}`}</p>
}

function Rendered({ value }: { readonly value: number }) {
  const { latest } = useEventSource('/events', { events, initial: { counter: { value } } })
  return <p>{latest.counter?.value}</p>
}

const text = (element: Element) => [...element.querySelectorAll('p')].map((p) => p.textContent)

/** Takes over what the server rendered. @returns what React could not hydrate */
function hydrate(page: HTMLElement, app: ReactNode): unknown[] {
  const faults: unknown[] = []
  document.body.append(page)
  render(app, { container: page, hydrate: true, onRecoverableError: (error) => faults.push(error) })
  return faults
}

describe('on a server', () => {
  it('renders idle, and opens nothing', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    const html = renderToString(<Page source={live} url={server.url('/other')} />)
    expect(html).toBe('<p>idle - 0</p><p>idle - 0</p><p>- 0</p>')
    expect(live.getState().status).toBe('idle')
    expect(server.requests).toHaveLength(0)
  })
})

describe('on a server below a provider', () => {
  it('renders at the same cost, however many pages were rendered before', () => {
    const looks = vi.spyOn(WeakRef.prototype, 'deref')
    for (let page = 0; page < 500; page += 1) {
      renderToString(
        <EventSourceProvider>
          <Rendered value={page} />
        </EventSourceProvider>,
      )
    }
    expect(looks.mock.calls.length).toBeLessThan(5 * 500)
  })
})

describe('on a server without a provider', () => {
  it('renders for one reader nothing of what was rendered for another', () => {
    vi.stubGlobal('window', undefined)
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
    expect(renderToString(<Rendered value={1} />)).toBe('<p>1</p>')
    expect(renderToString(<Rendered value={2} />)).toBe('<p>2</p>')
  })
})

describe('hydration', () => {
  it('carries on from what the page was rendered with', async () => {
    const server = await startStreamServer()
    const options = { events, cursor: 'e-0', initial: { counter: { value: 1 } } }
    const rendered = () => createEventSource(server.url(), options)
    const page = document.createElement('div')
    page.innerHTML = renderToString(<Both source={rendered()} />)
    expect(text(page)).toEqual(['idle 1 0', '1 0'])
    const live = rendered()
    const faults = hydrate(page, <Both source={live} />)
    expect(text(page)).toEqual(['connecting 1 0', '1 0'])
    await waitFor(() => expect(text(page)).toEqual(['open 1 0', '1 0']))
    server.send('counter', { value: 2 })
    await waitFor(() => expect(text(page)).toEqual(['open 2 0', '2 2']))
    expect(server.requests.map(({ lastEventId }) => lastEventId)).toEqual(['e-0'])

    const late = document.createElement('div')
    late.innerHTML = renderToString(<Both source={rendered()} />)
    faults.push(...hydrate(late, <Both source={live} />))
    await waitFor(() => expect(text(late)).toEqual(['open 2 0', '2 2']))
    expect(faults).toEqual([])
  })

  it('takes the page over, then opens one connection for each source', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    const app = <Page source={live} url={server.url('/other')} />
    const page = document.createElement('div')
    page.innerHTML = renderToString(app)
    const faults = hydrate(page, app)
    await waitFor(() => expect(text(page)).toEqual(['open - 0', 'open - 0', '- 0']))
    server.send('counter', { value: 2 })
    await waitFor(() => expect(text(page)).toEqual(['open 2 0', 'open 2 0', '2 2']))
    expect(faults).toEqual([])
    expect(server.requests.map(({ path }) => path).sort()).toEqual(['/events', '/other'])
  })

  it('agrees with the server where the source is ahead of the page', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    const app = <Page source={live} url={server.url('/other')} />
    const page = document.createElement('div')
    page.innerHTML = renderToString(app)
    live.open()
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('counter', { value: 2 })
    await waitFor(() => expect(live.getLatest().counter).toEqual({ value: 2 }))
    const faults = hydrate(page, app)
    await waitFor(() => expect(text(page)).toEqual(['open 2 0', 'open - 0', '2 0']))
    expect(faults).toEqual([])
    live.close()
  })
})
