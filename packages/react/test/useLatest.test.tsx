import { screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { createEventSource, type TypedEventSource, useLatest } from '../src/index.ts'
import { type Events, events } from './contract.ts'
import { mount } from './mount.tsx'
import { startStreamServer } from './stream-server.ts'

type Source = TypedEventSource<Events> | null

function Counter({ source }: { readonly source: Source }) {
  return <p>{useLatest(source, 'counter')?.value ?? 'none'}</p>
}

function Price({ source, symbol }: { readonly source: Source; readonly symbol: string }) {
  return <p>{useLatest(source, 'quote', (quotes) => quotes?.[symbol]?.price) ?? 'none'}</p>
}

function Symbols({ source }: { readonly source: Source }) {
  return <p>{useLatest(source, 'quote', (quotes) => Object.keys(quotes ?? {})).join() || 'none'}</p>
}

describe('useLatest', () => {
  it('opens the source, and shows the newest payload', async () => {
    const server = await startStreamServer()
    mount(<Counter source={createEventSource(server.url(), { events })} />, { strict: true })
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('counter', { value: 1 })
    await screen.findByText('1')
    expect(server.requests).toHaveLength(1)
  })

  it('renders only when what was selected changes, with an inline selector too', async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    const seen: number[] = []
    const page = mount(<Price source={live} symbol="A" />)
    live.on('quote', ({ price }) => seen.push(price), { passive: true })
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('quote', { symbol: 'A', price: 1 })
    await screen.findByText('1')
    expect(page.commits).toBe(2)
    server.send('quote', { symbol: 'B', price: 2 })
    server.send('counter', { value: 3 })
    server.send('quote', { symbol: 'A', price: 1 })
    await waitFor(() => expect(seen).toEqual([1, 2, 1]))
    server.send('quote', { symbol: 'A', price: 4 })
    await screen.findByText('4')
    expect(page.commits).toBe(3)
    page.rerender(<Price source={live} symbol="B" />)
    expect(screen.getByText('2')).toBeDefined()
  })

  it('takes selections that are made anew each time', async () => {
    const server = await startStreamServer()
    mount(<Symbols source={createEventSource(server.url(), { events })} />, { strict: true })
    await waitFor(() => expect(server.streams).toBe(1))
    server.send('quote', { symbol: 'A', price: 1 })
    server.send('quote', { symbol: 'B', price: 2 })
    await screen.findByText('A,B')
  })

  it('has nothing for null', () => {
    mount(<Counter source={null} />)
    expect(screen.getByText('none')).toBeDefined()
  })
})
