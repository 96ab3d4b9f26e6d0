import { defineConfig, mergeConfig } from 'vitest/config'
import { project } from '../../vitest.base.ts'
import { browserProject } from '../../vitest.browser.base.ts'
import { skipped } from '../../vitest.chromium.ts'

export default project('react-browser', {
  passWithNoTests: skipped,
  projects: [
    mergeConfig(
      browserProject('react-browser'),
      defineConfig({
        optimizeDeps: {
          include: [
            'react',
            'react-dom',
            'react-dom/client',
            'react/jsx-dev-runtime',
            '@testing-library/react',
          ],
        },
      }),
    ),
    project('react-fast-refresh', {
      include: skipped ? [] : ['test/fast-refresh/*.test.ts'],
      typecheck: { enabled: false },
      testTimeout: 30_000,
      sequence: { groupOrder: 1 }, // after those that measure
    }),
  ],
})
