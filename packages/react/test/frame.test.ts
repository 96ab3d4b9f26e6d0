import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { onFrame } from '../src/frame.ts'

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

it('leaves no frame and no timer behind once nobody waits', () => {
  const called = vi.fn()
  const cancels = [onFrame(called), onFrame(() => called())]
  expect(vi.getTimerCount()).toBe(2)
  cancels[0]?.()
  expect(vi.getTimerCount()).toBe(2)
  cancels[1]?.()
  expect(vi.getTimerCount()).toBe(0)
  expect(called).not.toHaveBeenCalled()
})
