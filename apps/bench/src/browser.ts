import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? NAMES.map(find).find((path) => path !== undefined)
  if (executablePath === undefined) throw new Error('there is no Chromium on the PATH')
  return chromium.launch({ executablePath, args: ARGUMENTS })
}

/** The bench's page as one script, for production. */
export async function script(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      rolldownOptions: { input: fileURLToPath(new URL('../page/main.tsx', import.meta.url)) },
    },
  })
  const outputs = Array.isArray(built) ? built : [built]
  for (const output of outputs) {
    if (!('output' in output)) continue
    const [entry] = output.output
    return entry.code
  }
  throw new Error('the page was not built')
}

/** Opens the page as if the server on this port served it, so that both have the same origin. */
export async function open(browser: Browser, port: number, code: string, hash: string): Promise<Page> {
  const page = await browser.newPage()
  const origin = `http://127.0.0.1:${port}`
  await page.route(`${origin}/`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><meta charset="utf-8"><body><script type="module" src="/page.js"></script>`,
    }),
  )
  await page.route(`${origin}/page.js`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: code }),
  )
  await page.goto(`${origin}/${hash}`)
  return page
}

function find(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
