import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Timeline } from '../src/simulation/timeline.ts'

describe('the timeline', () => {
  it('acts in the order of time, and of those of the same time first come, first served', async () => {
    const delays = fc.array(fc.nat({ max: 20 }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(delays, async (delays) => {
        const timeline = new Timeline()
        const seen: { at: number; index: number }[] = []
        for (const [index, delay] of delays.entries()) {
          timeline.after(delay, () => seen.push({ at: timeline.now, index }))
        }
        await timeline.run(100)
        const expected = delays.map((at, index) => ({ at, index }))
        expect(seen).toEqual(expected.sort((a, b) => a.at - b.at || a.index - b.index))
      }),
    )
  })

  it('calls nothing that was cancelled, and nothing beyond its end', async () => {
    const timeline = new Timeline()
    const seen: string[] = []
    timeline.after(5, () => seen.push('cancelled'))()
    timeline.after(10, () => seen.push('in time'))
    timeline.after(11, () => seen.push('too late'))
    await timeline.run(10)
    expect(seen).toEqual(['in time'])
  })

  it('lets promises settle before time passes', async () => {
    const timeline = new Timeline()
    let at = -1
    timeline.after(1, () => {
      Promise.resolve()
        .then(() => timeline.after(1, () => {}))
        .then(() => timeline.after(2, () => (at = timeline.now)))
    })
    timeline.after(10, () => {})
    await timeline.run(20)
    expect(at).toBe(3)
  })
})
