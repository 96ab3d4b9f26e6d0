import { describe, expect, it } from 'vitest'
import type { Deploy, Storm } from '../src/simulation/storm.ts'
import { simulate } from '../src/simulation/storm.ts'

const CLIENTS = 900
const fleet: Storm = {
  clients: CLIENTS,
  servers: 3,
  deploy: 'all killed',
  jitter: true,
  localHistory: true,
}
const DEPLOYS: readonly Deploy[] = ['one restarts', 'rolling', 'all at once', 'all killed']
const SEEDS = [1, 2]

describe('the simulation of a storm', () => {
  it('gives the same figures for the same seed, and others for another', async () => {
    const first = await simulate(fleet, 7)
    expect(await simulate(fleet, 7)).toEqual(first)
    expect(await simulate(fleet, 8)).not.toEqual(first)
  })

  it.each(DEPLOYS)('brings everybody back: %s', async (deploy) => {
    for (const jitter of [true, false]) {
      for (const localHistory of [true, false]) {
        const { away, missing, resumes } = await simulate({ ...fleet, deploy, jitter, localHistory }, 1)
        expect(missing).toBe(0)
        expect(resumes).toBeGreaterThanOrEqual(deploy === 'one restarts' ? CLIENTS / 4 : CLIENTS)
        expect(away.longest).toBeGreaterThan(0)
      }
    }
  })
})

describe('jitter', () => {
  it.each(DEPLOYS)('lowers the peak at least tenfold: %s', async (deploy) => {
    for (const seed of SEEDS) {
      const without = await simulate({ ...fleet, deploy, jitter: false }, seed)
      const within = await simulate({ ...fleet, deploy }, seed)
      expect(within.peak).toBeLessThan(without.peak / 10)
    }
  })

  it('leaves no attempt without an answer where a herd does', async () => {
    const crowd: Storm = { ...fleet, clients: 9_000 }
    const without = await simulate({ ...crowd, jitter: false }, 1)
    const within = await simulate(crowd, 1)
    expect(without.overflows).toBeGreaterThan(CLIENTS)
    expect(without.timedOut).toBeGreaterThan(0)
    expect(within.overflows).toBe(0)
    expect(within.timedOut).toBe(0)
    expect(within.away.longest).toBeLessThan(without.away.longest)
  })
})

describe('local history', () => {
  it('spares Redis the restart of one of several servers', async () => {
    for (const seed of SEEDS) {
      const restart: Storm = { ...fleet, deploy: 'one restarts' }
      const within = await simulate(restart, seed)
      const without = await simulate({ ...restart, localHistory: false }, seed)
      expect(within.reads).toBe(0)
      expect(without.reads).toBe(without.resumes)
    }
  })

  it('reads once for each server that begins with nothing', async () => {
    for (const seed of SEEDS) {
      for (const deploy of ['rolling', 'all at once', 'all killed'] as const) {
        const { reads } = await simulate({ ...fleet, deploy }, seed)
        expect(reads).toBeLessThanOrEqual(fleet.servers)
      }
    }
  })

  it('reads together what many readers with a channel of their own want at once', async () => {
    const own: Storm = { ...fleet, clients: 3_000, ownChannels: true, fleets: 100 }
    const within = await simulate(own, 1)
    const without = await simulate({ ...own, localHistory: false }, 1)
    expect(within.reads).toBeLessThan(without.reads / 4)
    expect(within.longestRead).toBeLessThan(without.longestRead)
  })
})
