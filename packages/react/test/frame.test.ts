import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { offFrame, onFrame } from '../src/frame.ts'

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

it('leaves no frame and no timer behind once nobody waits', () => {
  const [first, second] = [vi.fn(), vi.fn()]
  onFrame(first)
  onFrame(second)
  expect(vi.getTimerCount()).toBe(2)
  offFrame(first)
  expect(vi.getTimerCount()).toBe(2)
  offFrame(second)
  expect(vi.getTimerCount()).toBe(0)
  expect(first).not.toHaveBeenCalled()
  expect(second).not.toHaveBeenCalled()
})
