import { describe, expect, it, vi } from 'vitest'
import { Horizon } from '../src/horizon.ts'

describe('a horizon', () => {
  it('moves with what is heard, and never back', () => {
    const horizon = new Horizon(false)
    expect(horizon.reach(5)).toBe(true)
    expect(horizon.reach(3)).toBe(true)
    expect(horizon.g).toBe(5)
  })

  it('stands still while frozen, and catches up with what was heard meanwhile', () => {
    const horizon = new Horizon(true)
    expect(horizon.reach(7)).toBe(false)
    expect(horizon.g).toBe(0)
    horizon.thaw(4)
    expect(horizon.g).toBe(7)
  })

  it('takes what was heard before it froze for nothing', () => {
    const horizon = new Horizon(true)
    horizon.reach(7)
    horizon.freeze()
    horizon.thaw(4)
    expect(horizon.g).toBe(4)
  })

  it('tells who is ahead of it whenever it moves, until it has come so far', () => {
    const horizon = new Horizon(false)
    const copy = { changed: vi.fn() }
    horizon.follow(copy, 2)
    for (const g of [1, 2, 3]) horizon.reach(g)
    expect(copy.changed).toHaveBeenCalledTimes(2)
  })

  it('keeps who waits for it until it is there, or lets go of them', async () => {
    const horizon = new Horizon(false)
    const waits = [horizon.until(1, 1_000), horizon.until(9, 1_000)]
    horizon.reach(1)
    await waits[0]
    horizon.release()
    await waits[1]
    expect(horizon.g).toBe(1)
  })

  it('is waited for no longer than the time allows', async () => {
    await expect(new Horizon(true).until(1, 10)).rejects.toMatchObject({ code: 'ERR_SSE_BROKER' })
  })
})
