import { expect, it, onTestFinished } from 'vitest'
import { createPulse } from '../src/pulse.ts'

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

it('does not keep the process alive', () => {
  const before = timers()
  const pulse = createPulse(60_000, () => {})
  onTestFinished(() => pulse.stop())
  pulse.start()
  expect(timers()).toBe(before)
})
