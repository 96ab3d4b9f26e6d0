import { project } from '../../vitest.base.ts'

export default project('demo', {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 20_000 } },
  // Each starts up to five processes and a browser, and Vite's cache is one.
  fileParallelism: false,
})
