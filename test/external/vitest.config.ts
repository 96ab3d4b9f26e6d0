import { project } from '../../vitest.base.ts'

export default project('external', {
  include: ['*.test.ts'],
  typecheck: { enabled: false },
  globalSetup: './pack.ts',
  testTimeout: 120_000,
  hookTimeout: 300_000,
})
