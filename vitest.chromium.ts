import { existsSync } from 'node:fs'

/** How Chromium is launched: the one that `CHROMIUM` names, else the system's. */
export const launchOptions: { readonly executablePath: string; readonly args: string[] } = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
}

/** Whether tests in a browser are skipped: where there is none, but for CI, which fails. */
export const skipped: boolean = !existsSync(launchOptions.executablePath) && !process.env.CI
if (skipped) {
  process.stderr.write(`There is no ${launchOptions.executablePath}: the tests in a browser are skipped.\n`)
}
