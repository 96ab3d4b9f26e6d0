import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The Chromium that `CHROMIUM` names, else the first on the path. */
function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = process.env.CHROMIUM
    ? [process.env.CHROMIUM]
    : NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return candidates.find(isExecutable)
}

const found: string | undefined = findChromium()

/** How Chromium is launched. */
export const launchOptions: { readonly executablePath: string; readonly args: string[] } = {
  executablePath: found ?? 'chromium',
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
export const skipped: boolean = found === undefined && !process.env.CI
if (skipped) {
  process.stderr.write(
    'There is no Chromium: the tests in a browser are skipped. Install it, or name it in CHROMIUM.\n',
  )
}
