import { describe, expect, it } from 'vitest'
import { isSkipped, parseSkips, SKIPPED } from '../src/skipped.ts'

describe('positions that are left out', () => {
  it('are those behind which a run began, but for the first one of all', () => {
    expect(parseSkips('r1:0')).toEqual([])
    expect(parseSkips('r1:0 r2:7 r3:7')).toEqual([7, 7])
    expect(parseSkips('r1:0 r2:0')).toEqual([0])
  })

  it('are those behind the first run that is remembered, too, where it was not the first one', () => {
    expect(parseSkips('r20:7 r21:90000000')).toEqual([7, 90_000_000])
  })

  it('lie behind the last one that was kept, and before where the log stands then', () => {
    const skips = parseSkips('r1:0 r2:7')
    const judged = [7, 8, 6 + SKIPPED, 7 + SKIPPED].map((g) => isSkipped(g, skips))
    expect(judged).toEqual([false, true, true, false])
  })
})
