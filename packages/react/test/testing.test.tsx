import { render, screen } from '@testing-library/react'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { EventSourceProvider, useCountdown, useEventReducer, useEventSource } from '../src/index.ts'
import { createMockTransport, type MockTransport } from '../src/testing/index.ts'
import { type Events, events, type Notice } from './contract.ts'

function App() {
  const { status, latest, retryAt, source, error } = useEventSource('/events', { events })
  const seconds = useCountdown(retryAt)
  const notices = useEventReducer(source, {
    initial: [] as Notice[],
    reduce: { notification: (list, notice) => [...list, notice] },
  })
  const words = [status, latest.counter?.value, seconds, error?.status, ...notices.map(({ title }) => title)]
  return <p>{words.join(' ')}</p>
}

describe('createMockTransport for components', () => {
  let mock: MockTransport<Events>

  beforeEach(() => {
    mock = createMockTransport(events)
    // Nothing may depend on frames.
    vi.spyOn(globalThis, 'requestAnimationFrame').mockImplementation(() => 0)
    render(
      <EventSourceProvider transport={mock}>
        <App />
      </EventSourceProvider>,
    )
  })

  it('has rendered when a promise settles', async () => {
    screen.getByText('connecting 0')
    await mock.settle()
    screen.getByText('open 0')
    expect(mock.at('/events').requests).toHaveLength(1)
  })

  it('has rendered when a call returns', async () => {
    await mock.settle()
    mock.at('/events').emit('counter', { value: 1 })
    screen.getByText('open 1 0')
    mock.at('/events').emit('notification', { title: 'a' })
    screen.getByText('open 1 0 a')
  })

  it('walks through a lost connection, and what was sent meanwhile', async () => {
    await mock.settle()
    mock.at('/events').emit('notification', { title: 'a' })
    mock.at('/events').drop()
    expect(screen.getByText(/^retrying/).textContent).toMatch(/^retrying {2}[1-9] {2}a$/)
    mock.at('/events').emit('notification', { title: 'b' })
    await mock.advance(10_000)
    screen.getByText('open 0 a b')
    expect(mock.at('/events').requests).toHaveLength(2)
  })

  it('counts down in its own time', async () => {
    await mock.settle()
    mock.at('/events').drop()
    mock.at('/events').refuse(503, { retryAfter: 3_000 })
    await mock.advance(1_000)
    const seconds = () => Number(/^retrying {2}(\d) 503$/.exec(screen.getByText(/./).textContent)?.[1])
    const first = seconds()
    expect(first).toBeGreaterThan(3)
    await mock.advance(1_000)
    expect(seconds()).toBe(first - 1)
    await mock.advance(1_000)
    expect(seconds()).toBe(first - 2)
    await mock.advance(first * 1_000)
    screen.getByText('open 0')
  })

  it('shows a refusal', async () => {
    await mock.settle()
    mock.at('/events').drop()
    mock.at('/events').refuse(403)
    await mock.advance(10_000)
    screen.getByText('failed 0 403')
  })

  it('pauses without a network', async () => {
    await mock.settle()
    mock.offline()
    screen.getByText('paused 0')
    mock.online()
    await mock.advance(10_000)
    screen.getByText('open 0')
  })

  it('leaves the environment as it was after a call that throws', async () => {
    const environment = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }
    await mock.settle()
    const before = environment.IS_REACT_ACT_ENVIRONMENT ?? false
    environment.IS_REACT_ACT_ENVIRONMENT = false
    onTestFinished(() => {
      environment.IS_REACT_ACT_ENVIRONMENT = before
    })
    expect(() => mock.at('/events').emit('counter', undefined as never)).toThrow('counter')
    expect(environment.IS_REACT_ACT_ENVIRONMENT).toBe(false)
  })
})
