import fc from 'fast-check'
import { describe, it } from 'vitest'
import { memoryBroker, sse } from '../../src/index.ts'
import { settings, steps } from './steps.ts'
import { World } from './world.ts'

const ci = process.env.CI === 'true'
/** A minute's worth where nobody waits. */
const numRuns = Number(process.env.MODEL_RUNS ?? (ci ? 10_000 : 1_000))
/** The gate asks the same of every change; elsewhere each run looks somewhere new, and says where. */
const seed = Number(process.env.MODEL_SEED ?? (ci ? 1 : Date.now() % 1_000_000_000))

describe('the promise', () => {
  it('holds for every reader under any interleaving', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(settings, steps, async (given, taken) => {
        const world = new World({ memoryBroker, sse }, given)
        await world.run(taken)
        if (world.violations.length > 0) throw new Error(world.violations.join('\n'))
      }),
      { numRuns, seed },
    )
  })
})
