import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { EventSourceProvider } from '../../src/index.ts'
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
})
