import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoff, clampRetry } from '../src/backoff.ts'

describe('backoff', () => {
  it("doubles the server's reconnection time with each attempt, up to half a minute", () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 100].map((attempt) => backoff(attempt, 1_000, 1))
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })
  it('never cuts a reconnection time that is longer than that', () => {
    expect(backoff(9, 120_000, 1)).toBe(120_000)
  })
  it('spreads clients over the whole time, from at once', () => {
    expect(backoff(3, 1_000, 0)).toBe(0)
    expect(backoff(3, 1_000, 0.5)).toBe(2_000)
  })
  it('is a finite time whatever the server asks for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, retry, random) => {
          const delay = backoff(attempt, clampRetry(retry), random)
          expect(delay).toBeGreaterThanOrEqual(0)
          expect(delay).toBeLessThanOrEqual(300_000)
        },
      ),
    )
  })
})

describe("the server's reconnection time", () => {
  it('is clamped: retry: 0 is no storm, and a huge one no farewell', () => {
    expect(clampRetry(0)).toBe(100)
    expect(clampRetry(2_500)).toBe(2_500)
    expect(clampRetry(1e12)).toBe(300_000)
  })
})
