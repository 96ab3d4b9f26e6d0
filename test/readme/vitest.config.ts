import { project } from '../../vitest.base.ts'

export default project('readme', {
  include: ['*.test.ts'],
  typecheck: { enabled: false },
  testTimeout: 60_000,
})
