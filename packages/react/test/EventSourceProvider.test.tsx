import { act, screen, waitFor } from '@testing-library/react'
import { useReducer } from 'react'
import { describe, expect, it } from 'vitest'
import {
  EventSourceProvider,
  fetchTransport,
  type Transport,
  type TypedEventSource,
  useEventSource,
} from '../src/index.ts'
import { createMockTransport } from '../src/testing/index.ts'
import { type Events, events } from './contract.ts'
import { mount } from './mount.tsx'
import { startStreamServer } from './stream-server.ts'

function Live({ url, token }: { readonly url: string; readonly token?: string }) {
  const { status, latest } = useEventSource(url, {
    events,
    headers: token === undefined ? undefined : { token },
  })
  return (
    <p>
      {status} {latest.counter?.value ?? '-'}
    </p>
  )
}

/** Hands its source down, below another provider. */
function Outer({ url }: { readonly url: string }) {
  const { source } = useEventSource(url, { events })
  return (
    <EventSourceProvider headers={{ token: 'inner' }}>
      <Inner source={source} />
    </EventSourceProvider>
  )
}

function Inner({ source }: { readonly source: TypedEventSource<Events> | null }) {
  const [renders, again] = useReducer((count: number) => count + 1, 1)
  useEventSource(source)
  return (
    <button type="button" onClick={again}>
      rendered {renders}
    </button>
  )
}

describe('EventSourceProvider', () => {
  it('puts its base url in front of relative ones, and leaves absolute ones', async () => {
    const server = await startStreamServer()
    mount(
      <EventSourceProvider baseUrl={server.url('/api/')}>
        <Live url="/events" />
        <Live url={server.url('/other')} />
      </EventSourceProvider>,
      { strict: true },
    )
    await waitFor(() =>
      expect(server.requests.map(({ path }) => path).sort()).toEqual(['/api/events', '/other']),
    )
  })

  it('adds its headers to those of the hook, whatever their case, the newest of both at each attempt', async () => {
    const server = await startStreamServer()
    const app = (tenant: string, token: string) => (
      <EventSourceProvider baseUrl={server.url('/')} headers={{ tenant, Token: 'overridden' }}>
        <Live url="events" token={token} />
      </EventSourceProvider>
    )
    const page = mount(app('a', '1'), { strict: true })
    await screen.findByText('open -')
    page.rerender(app('b', '2'))
    await screen.findByText('open -')
    expect(server.requests).toHaveLength(1)
    server.drop()
    await waitFor(() => expect(server.requests).toHaveLength(2))
    expect(server.requests.map(({ headers }) => [headers.tenant, headers.token])).toEqual([
      ['a', '1'],
      ['b', '2'],
    ])
  })

  it('gives no headers to a source that was made for another one', async () => {
    const server = await startStreamServer()
    mount(
      <EventSourceProvider headers={{ token: 'outer' }}>
        <Outer url={server.url()} />
      </EventSourceProvider>,
    )
    await waitFor(() => expect(server.streams).toBe(1))
    // Alone: the component that gave the url is not rendered again.
    act(() => screen.getByText('rendered 1').click())
    await screen.findByText('rendered 2')
    server.drop()
    await waitFor(() => expect(server.requests).toHaveLength(2))
    expect(server.requests.map(({ headers }) => headers.token)).toEqual(['outer', 'outer'])
  })

  it('carries the hooks below over its transport', async () => {
    const server = await startStreamServer()
    const asked: string[] = []
    const transport: Transport = {
      connect(request, handlers) {
        asked.push(request.url)
        return fetchTransport.connect(request, handlers)
      },
    }
    mount(
      <EventSourceProvider transport={transport}>
        <Live url={server.url()} />
      </EventSourceProvider>,
    )
    await screen.findByText('open -')
    expect(asked).toEqual([server.url()])
  })

  it('takes the transport of the provider around it, and nothing else', async () => {
    const mock = createMockTransport(events)
    mount(
      <EventSourceProvider transport={mock} baseUrl="/outer" headers={{ token: 'secret' }}>
        <EventSourceProvider>
          <Live url="/events" />
        </EventSourceProvider>
      </EventSourceProvider>,
    )
    await mock.settle()
    expect(mock.at('/events').requests.map(({ headers }) => headers)).toEqual([{}])
  })

  it('shares nothing with hooks beyond it', async () => {
    const server = await startStreamServer()
    mount(
      <>
        <Live url={server.url()} />
        <EventSourceProvider headers={{ token: 'secret' }}>
          <Live url={server.url()} />
        </EventSourceProvider>
      </>,
    )
    await waitFor(() =>
      expect(server.requests.map(({ headers }) => headers.token).sort()).toEqual(['secret', undefined]),
    )
  })
})
