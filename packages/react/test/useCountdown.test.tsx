import { act, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useCountdown } from '../src/index.ts'
import { mount } from './mount.tsx'

function Countdown({ until }: { readonly until: number | undefined }) {
  return <p>{useCountdown(until)}</p>
}

describe('useCountdown', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const pass = (milliseconds: number) => act(() => vi.advanceTimersByTime(milliseconds))

  it('counts whole seconds down to 0, with a render each', () => {
    const page = mount(<Countdown until={1_002_500} />)
    expect(screen.getByText('3')).toBeDefined()
    pass(499)
    expect(screen.getByText('3')).toBeDefined()
    pass(1)
    expect(screen.getByText('2')).toBeDefined()
    pass(1000)
    expect(screen.getByText('1')).toBeDefined()
    pass(1000)
    expect(screen.getByText('0')).toBeDefined()
    expect(page.commits).toBe(4)
    pass(10_000)
    expect(page.commits).toBe(4)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('starts over with another moment, and is 0 without one or past it', () => {
    const page = mount(<Countdown until={1_001_000} />)
    page.rerender(<Countdown until={1_005_000} />)
    expect(screen.getByText('5')).toBeDefined()
    page.rerender(<Countdown until={undefined} />)
    expect(screen.getByText('0')).toBeDefined()
    page.rerender(<Countdown until={999_999} />)
    expect(screen.getByText('0')).toBeDefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('catches up by the wall clock after its timer was held back', () => {
    mount(<Countdown until={1_060_000} />)
    vi.setSystemTime(1_040_000)
    pass(1000)
    expect(screen.getByText('19')).toBeDefined()
  })

  it('leaves no timer behind', () => {
    mount(<Countdown until={1_060_000} />, { strict: true }).unmount()
    expect(vi.getTimerCount()).toBe(0)
  })
})
