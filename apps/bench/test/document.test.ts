import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fill, results } from '../src/simulation/document.ts'
import { fleet, limit } from '../src/simulation/paper.ts'

const docs = new URL('../../../docs/', import.meta.url)

describe('docs/scaling.md', () => {
  it('holds the tables and the chart that the simulation makes', { timeout: 600_000 }, async () => {
    const document = readFileSync(new URL('scaling.md', docs), 'utf8')
    const { blocks, chart } = await results()
    expect(fill(document, blocks), 'pnpm --filter @sse/bench simulate --write').toBe(document)
    expect(readFileSync(new URL('scaling.svg', docs), 'utf8')).toBe(chart)
  })

  it('is not filled where it has no place', () => {
    expect(() => fill('# Scaling', { storms: '' })).toThrow("no place for 'storms'")
  })
})

describe('the calculation', () => {
  it('takes ten times as much for ten times as many, but for what is sent to everybody', () => {
    const million = fleet(1_000_000)
    const ten = fleet(10_000_000)
    expect(ten.redisMemory).toBeCloseTo(10 * million.redisMemory, 0)
    expect(ten.toReaders).toBeCloseTo(10 * million.toReaders, 0)
    expect(ten.publishes).toBeLessThan(10 * million.publishes)
    expect(ten.processes).toBeLessThan(10 * million.processes)
  })

  it('leaves a process that may restart', () => {
    for (const streams of [1, 10_000, 1_000_000]) {
      const { processes } = fleet(streams)
      expect(streams / (processes - 1)).toBeLessThanOrEqual(10_000)
      expect(processes).toBeGreaterThanOrEqual(3)
    }
  })

  it('allows fewer publishes the more processes hear of them, and the larger they are', () => {
    for (const rhythm of ['alone', 'run'] as const) {
      expect(limit(100, 'small')[rhythm]).toBeLessThan(limit(3, 'small')[rhythm])
      expect(limit(3, 'large')[rhythm]).toBeLessThan(limit(3, 'small')[rhythm])
    }
    expect(limit(100, 'small').bytes).toBeGreaterThan(limit(3, 'small').bytes)
  })
})
