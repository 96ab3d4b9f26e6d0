import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { EventSourceProvider, useEventSource } from '../../src/index.ts'
import { startStreamServer } from '../stream-server.ts'
import { render, Screen } from './screen.tsx'

describe('without a DOM', () => {
  it('has no globals of a page', () => {
    for (const name of [
      'window',
      'document',
      'location',
      'navigator',
      'EventSource',
      'Event',
      'addEventListener',
    ]) {
      expect(globalThis).not.toHaveProperty(name)
    }
  })

  it('shows a stream, in frames or without, and lets go of it', async () => {
    const server = await startStreamServer()
    const seen: string[] = []
    const screen = render(
      <EventSourceProvider baseUrl={server.url('/')}>
        <Screen seen={(title) => seen.push(title)} />
      </EventSourceProvider>,
    )
    await screen.shows('open')
    server.send('counter', { value: 7 })
    server.send('quote', { symbol: 'A', price: 3 })
    await screen.shows('open 7 3')
    vi.stubGlobal('requestAnimationFrame', (frame: () => void) => setTimeout(frame, 16))
    vi.stubGlobal('cancelAnimationFrame', clearTimeout)
    onTestFinished(() => void vi.unstubAllGlobals())
    server.send('notification', { title: 'a' })
    await screen.shows('open 7 1 3')
    expect(seen).toEqual(['a'])
    screen.unmount()
    await vi.waitFor(() => expect(server.streams).toBe(0), { timeout: 5_000 })
    expect(server.requests).toHaveLength(1)
  })

  it('counts down to the next attempt after a refusal', async () => {
    const server = await startStreamServer()
    server.refuse(503)
    const screen = render(
      <EventSourceProvider baseUrl={server.url('/')}>
        <Screen />
      </EventSourceProvider>,
    )
    await screen.shows('retrying soon')
    server.refuse(undefined)
    await screen.shows('open')
  })

  it('takes the fetch that it is given, where the own one cannot stream', async () => {
    const server = await startStreamServer()
    const streaming = globalThis.fetch
    // As React Native's: it settles when the whole response is there.
    vi.stubGlobal('fetch', async (...request: Parameters<typeof fetch>) => {
      const response = await streaming(...request)
      const text = await response.text()
      return { status: response.status, headers: response.headers, text: async () => text }
    })
    onTestFinished(() => void vi.unstubAllGlobals())
    const own = render(<Patient url={server.url()} />)
    await own.shows('retrying timeout')
    own.unmount()
    const given = render(
      <EventSourceProvider baseUrl={server.url('/')} fetch={streaming}>
        <Screen />
      </EventSourceProvider>,
    )
    await given.shows('open')
    server.send('counter', { value: 1 })
    await given.shows('open 1')
  })
})

function Patient({ url }: { readonly url: string }) {
  const { status, error } = useEventSource(url, { connectTimeout: 500 })
  return `${status} ${error?.kind}`
}
