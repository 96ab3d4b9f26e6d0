import { project } from '../../vitest.base.ts'

export default project('bench', { testTimeout: 120_000 })
