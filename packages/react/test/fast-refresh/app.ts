import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createServer, defaultClientConditions } from 'vite'
import { onTestFinished } from 'vitest'
import { launchOptions } from '../../../../vitest.chromium.ts'

const root = join(import.meta.dirname, '../..')

const html = '<!doctype html><div id="root"></div><script type="module" src="/main.tsx"></script>'
const main = `
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'

createRoot(document.getElementById('root')).render(<StrictMode><App /></StrictMode>)
`

/** An app that is being developed: a page in a browser, and its files, which change while it is shown. */
export interface App {
  readonly page: Page
  /** What the page logged. */
  readonly logged: readonly string[]
  /** Saves a file with pieces of its text replaced. */
  edit(file: string, pieces: Readonly<Record<string, string>>): Promise<void>
}

export const launch = (): Promise<Browser> => chromium.launch(launchOptions)

/** Serves an app with Vite, as `npm create vite` sets it up, and opens it. */
export async function startApp(browser: Browser, files: Readonly<Record<string, string>>): Promise<App> {
  const folder = await mkdtemp(join(tmpdir(), 'fast-refresh-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [name, text] of Object.entries({ 'index.html': html, 'main.tsx': main, ...files })) {
    await writeFile(join(folder, name), text)
  }
  const server = await createServer({
    configFile: false,
    root: folder,
    cacheDir: join(folder, '.vite'),
    logLevel: 'error',
    plugins: [react()],
    resolve: {
      alias: { '@sse/react': join(root, 'src/index.ts') },
      conditions: ['@sse/source', ...defaultClientConditions],
    },
    server: { host: '127.0.0.1', port: 0, fs: { strict: false } },
    optimizeDeps: { include: ['react', 'react-dom/client', 'react/jsx-dev-runtime'] },
  })
  await server.listen()
  const page = await browser.newPage()
  onTestFinished(async () => {
    await page.close()
    await server.close()
    await rm(folder, { recursive: true })
  })
  const logged: string[] = []
  page.on('console', (message) => logged.push(message.text()))
  page.on('pageerror', (error) => logged.push(String(error)))
  await page.goto(server.resolvedUrls?.local[0] ?? '')
  return {
    page,
    logged,
    async edit(file, pieces) {
      const path = join(folder, file)
      let text = await readFile(path, 'utf8')
      for (const [before, after] of Object.entries(pieces)) {
        if (!text.includes(before)) throw new Error(`${file} has no '${before}'.`)
        text = text.replace(before, after)
      }
      await writeFile(path, text)
    },
  }
}
