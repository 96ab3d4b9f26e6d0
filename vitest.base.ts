import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** The test settings that every package shares: sources instead of builds, type tests, a report for the gate to count. */
export const project = (name: string, test: ViteUserConfig['test'] = {}): ViteUserConfig =>
  defineConfig({
    resolve: { conditions: ['@sse/source'] },
    ssr: { resolve: { conditions: ['@sse/source'] } },
    test: {
      name,
      include: ['test/**/*.test.{ts,tsx}'],
      typecheck: { enabled: true, include: ['test/**/*.test-d.{ts,tsx}'], tsconfig: './tsconfig.json' },
      // A machine may be slow, or busy with other things: what hangs is noticed late, what is slow never fails.
      testTimeout: 30_000,
      hookTimeout: 30_000,
      expect: { poll: { timeout: 10_000 } },
      reporters: ['default', ['json', { outputFile: `../../reports/${name}.json` }]],
      ...test,
    },
  })
