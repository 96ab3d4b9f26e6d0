import { expect, it } from 'vitest'
import { announce } from '../server/announce.ts'

it('an announcement is repeated until what was said last is how it is', async () => {
  // While the first is said, others count on.
  let value = 5
  const said: number[] = []
  await announce(
    value,
    async () => value,
    async (current) => {
      said.push(current)
      if (said.length <= 2) value += 1
    },
  )
  expect(said).toEqual([5, 6, 7])
})

it('an announcement that nobody overtakes is made once', async () => {
  const said: object[] = []
  const counter = { value: 5, by: 'Wren' }
  await announce(
    counter,
    async () => ({ ...counter }),
    async (current) => said.push(current),
  )
  expect(said).toEqual([counter])
})
