import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../src/testing/virtual-clock.ts'
import { createWatchdog } from '../src/watchdog.ts'

function watch(heartbeat: number) {
  const clock = createVirtualClock(1_000_000, () => 0)
  const told: (string | number)[] = []
  let cancel: () => void = () => {}
  const watchdog = createWatchdog(clock, {
    stale: () => told.push('stale'),
    lost: (quiet) => told.push('lost', quiet),
    after(milliseconds, callback) {
      cancel()
      cancel = clock.after(milliseconds, callback)
    },
  })
  watchdog.expect(heartbeat)
  return { clock, watchdog, told }
}

describe('the watchdog', () => {
  it('says stale after one and a half heartbeats, lost after two and a half', async () => {
    const { clock, told } = watch(10_000)
    await clock.advance(14_999)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual(['stale'])
    await clock.advance(10_000)
    expect(told).toEqual(['stale', 'stale', 'lost', 25_000])
  })
  it('begins anew with everything that is heard', async () => {
    const { clock, watchdog, told } = watch(10_000)
    for (let n = 0; n < 100; n += 1) {
      await clock.advance(14_000)
      watchdog.heard()
    }
    expect(told).toEqual([])
  })
  it('watches nothing where no heartbeat is promised', async () => {
    const { clock, watchdog, told } = watch(0)
    watchdog.wake()
    await clock.advance(1e9)
    expect(told).toEqual([])
    expect(clock.pending).toBe(0)
  })
  it('gives a machine that slept the time to read what came meanwhile', async () => {
    const { clock, told } = watch(10_000)
    clock.sleep(3_600_000)
    await clock.advance(0)
    expect(told).toEqual(['stale'])
    await clock.advance(1_999)
    expect(told).toEqual(['stale'])
    await clock.advance(1)
    expect(told.slice(-2)).toEqual(['lost', 3_602_000])
  })
  it('judges anew where the clock was set back, instead of waiting for it to come round', async () => {
    const { clock, watchdog, told } = watch(10_000)
    clock.sleep(-3_600_000)
    watchdog.wake()
    await clock.advance(24_999)
    expect(told).toEqual(['stale'])
    await clock.advance(1)
    expect(told).toContain('lost')
  })
})
