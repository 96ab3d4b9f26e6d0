import { AsyncLocalStorage } from 'node:async_hooks'
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

it("is nobody's who starts it: no beat, and no timer, has what a request keeps in its context", async () => {
  const storage = new AsyncLocalStorage<string>()
  const heard = await new Promise((resolve) => {
    const pulse = createPulse(10, () => resolve(storage.getStore()))
    onTestFinished(() => pulse.stop())
    storage.run('of the first request', () => pulse.start())
  })
  expect(heard).toBeUndefined()
})
