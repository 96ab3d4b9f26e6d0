import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const executablePath = process.env.SSE_CHROMIUM ?? '/usr/bin/chromium'

/** A headless Chromium. Where there is none: an error in CI, else `undefined`. */
export async function launchBrowser(): Promise<Browser | undefined> {
  if (!existsSync(executablePath)) {
    const remedy = `There is no Chromium at ${executablePath}: install it (apt install chromium), or say in SSE_CHROMIUM where it is.`
    if (process.env.CI === 'true') throw new Error(remedy)
    process.stderr.write(`${remedy}\n`)
    return undefined
  }
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
