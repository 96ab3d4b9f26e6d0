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
      reporters: ['default', ['json', { outputFile: `../../reports/${name}.json` }]],
      ...test,
    },
  })
