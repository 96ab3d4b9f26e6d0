import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Beacon } from '../src/beacon.ts'

const INTERVAL = 1_000

describe('a beacon', () => {
  const send = vi.fn(async (_everyone: boolean) => {})
  const silent = vi.fn()
  let beacon: Beacon

  beforeEach(() => {
    vi.useFakeTimers()
    // Neither faster nor slower than its interval.
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    beacon = new Beacon({ interval: INTERVAL, wanted: () => true, send, silent })
    beacon.start()
  })
  afterEach(() => {
    beacon.stop()
    vi.useRealTimers()
    vi.restoreAllMocks()
    vi.clearAllMocks()
  })

  /** Lets time go by in which something is heard all the while. */
  async function hear(intervals: number): Promise<void> {
    for (let time = 0; time < intervals * INTERVAL; time += INTERVAL / 10) {
      beacon.heard()
      await vi.advanceTimersByTimeAsync(INTERVAL / 10)
    }
  }

  it('is sent where nothing is heard, and a connection that does not bring it counts as dead', async () => {
    await vi.advanceTimersByTimeAsync(2.5 * INTERVAL)
    expect(send.mock.calls).toEqual([[true], [true]])
    expect(silent).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(send).toHaveBeenCalledTimes(2)
    expect(silent).toHaveBeenCalledOnce()
  })

  it('is sent now and then where much is heard, to this process alone: it may be another Redis by now that answers', async () => {
    await hear(9.5)
    expect(send).not.toHaveBeenCalled()
    await hear(20)
    expect(send.mock.calls).toEqual([[false], [false]])
    expect(silent).not.toHaveBeenCalled()
  })
})

it("is nobody's who starts it: what a beacon brings about has nothing of a request's context", async () => {
  const storage = new AsyncLocalStorage<string>()
  const heard = await new Promise((resolve) => {
    const send = async (): Promise<void> => resolve(storage.getStore())
    const beacon = new Beacon({ interval: 10, wanted: () => true, send, silent() {} })
    onTestFinished(() => beacon.stop())
    storage.run('of the first request', () => beacon.start())
  })
  expect(heard).toBeUndefined()
})
