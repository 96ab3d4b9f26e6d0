import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, mergeConfig } from 'vitest/config'
import { project } from '../../vitest.base.ts'

/** The client in a real browser: the one that `CHROMIUM` names, else the system's. */
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
// The gate fails without it.
const skipped = !existsSync(executablePath) && !process.env.CI
if (skipped) process.stderr.write(`There is no ${executablePath}: the tests in a browser are skipped.\n`)
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

// The configuration is read more than once, for one server.
process.env.SSE_BROWSER_TEST_PORT ??= await new Promise<string>((found) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => found(typeof address === 'object' && address !== null ? String(address.port) : ''))
  })
})
const origin = `http://127.0.0.1:${process.env.SSE_BROWSER_TEST_PORT}`

export default mergeConfig(
  project('client-browser', {
    include: skipped ? [] : ['test/browser/*.test.ts'],
    passWithNoTests: skipped,
    typecheck: { enabled: false },
    globalSetup: ['test/browser/server.ts'],
    provide: { origin },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args } }),
      instances: [{ browser: 'chromium' }],
    },
  }),
  defineConfig({
    // The server's own modules are resolved here, by sources as everywhere.
    environments: { __vitest__: { resolve: { conditions: ['@sse/source', 'node'] } } },
    // The same server as a part of the page's origin.
    server: { proxy: { '/server': { target: origin, rewrite: (path) => path.replace('/server', '') } } },
  }),
)
