import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { resolveOptions } from '../src/options.ts'
import { type Served, Switchboard } from '../src/switchboard.ts'

/** A board, and what it reports. */
function boardOf(options: Parameters<typeof resolveOptions>[0] = {}) {
  const events = {
    connected: vi.fn(),
    disconnected: vi.fn(),
    missed: vi.fn(),
    published: vi.fn(),
    failed: vi.fn(),
  }
  return { board: new Switchboard<object>(resolveOptions(options), events), events }
}

/** A stream that takes time to be served. */
function served(deliver: () => boolean, rest: Partial<Served<object>> = {}): Served<object> {
  const place = { cursor: 0, straight: undefined, followed: undefined, histories: undefined }
  const silent = { fill() {}, expects: () => false, beat() {}, restart() {}, disconnect() {}, destroy() {} }
  return { stream: {}, ...place, quiet: 0, stalled: 0, waiting: false, deliver, ...silent, ...rest }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a pass over the streams', () => {
  it('serves each once in a turn, however often it was scheduled', async () => {
    const { board } = boardOf()
    const deliver = vi.fn(() => false)
    const stream = served(deliver)
    for (let n = 0; n < 10; n++) board.schedule(stream)
    expect(deliver).not.toHaveBeenCalled()
    await turn()
    expect(deliver).toHaveBeenCalledTimes(1)
    await turn()
    expect(deliver).toHaveBeenCalledTimes(1)
  })

  it('that takes long yields, so that others have their turn, and goes on after', async () => {
    const { board } = boardOf()
    let done = 0
    for (let n = 0; n < 200; n++) {
      board.schedule(
        served(() => {
          const until = performance.now() + 1
          while (performance.now() < until);
          done += 1
          return false
        }),
      )
    }
    await turn()
    expect(done).toBeGreaterThan(0)
    expect(done).toBeLessThan(150)
    await expect.poll(() => done).toBe(200)
  })

  it('comes back to a stream that had more than a slice, after the others', async () => {
    const { board } = boardOf()
    const order: string[] = []
    let slices = 3
    board.schedule(
      served(() => {
        order.push('long')
        slices -= 1
        return slices > 0
      }),
    )
    board.schedule(
      served(() => {
        order.push('short')
        return false
      }),
    )
    await expect.poll(() => order).toEqual(['long', 'short', 'long', 'long'])
  })

  it('before an eviction serves all there is, at once', () => {
    const { board } = boardOf()
    let slices = 5
    board.schedule(served(() => --slices > 0))
    board.beforeEviction()
    expect(slices).toBe(0)
  })
})

describe('the beat', () => {
  it('finds quiet streams and stalled ones, each by its own measure', async () => {
    vi.useFakeTimers()
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { board } = boardOf({ heartbeat: 300, stallTimeout: 900 })
    const beat = vi.fn()
    const destroy = vi.fn()
    const quiet = served(() => false, { beat })
    const stalled = served(() => false, { waiting: true, destroy })
    const request = new IncomingMessage(new Socket())
    board.admit(quiet, request)
    board.admit(stalled, request)
    await vi.advanceTimersByTimeAsync(299)
    expect(beat).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(beat).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(500)
    expect(destroy).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(300)
    expect(destroy).toHaveBeenCalled()
    board.withdraw(quiet)
    board.withdraw(stalled)
    expect(vi.getTimerCount()).toBe(0)
  })
})
