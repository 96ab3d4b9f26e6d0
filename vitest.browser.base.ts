import { createServer } from 'node:net'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config'
import { project } from './vitest.base.ts'
import { launchOptions, skipped } from './vitest.chromium.ts'

/** Where the server listens that the tests in a browser talk to: `test/browser/server.ts` of each package. */
export const origin: string = `http://127.0.0.1:${await freePort()}`

/** The test settings of what runs in a real browser: skipped where there is none, but for CI, which fails. */
export function browserProject(name: string): ViteUserConfig {
  return mergeConfig(
    project(name, {
      include: skipped ? [] : ['test/browser/*.test.{ts,tsx}'],
      passWithNoTests: skipped,
      typecheck: { enabled: false },
      globalSetup: ['test/browser/server.ts'],
      provide: { origin },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions }),
        instances: [{ browser: 'chromium' }],
      },
    }),
    defineConfig({
      // The server's own modules are resolved here, by sources as everywhere.
      environments: { __vitest__: { resolve: { conditions: ['@sse/source', 'node'] } } },
    }),
  )
}

/** The configuration is read more than once, for one server. */
async function freePort(): Promise<string> {
  process.env.SSE_BROWSER_TEST_PORT ??= await new Promise<string>((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address !== null ? String(address.port) : ''))
    })
  })
  return process.env.SSE_BROWSER_TEST_PORT
}
