import { project } from '../../vitest.base.ts'

export default project('promise', {
  include: ['*.test.ts'],
  typecheck: { enabled: false },
  testTimeout: 120_000,
})
