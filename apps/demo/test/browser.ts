import { type Browser, chromium } from 'playwright-core'
import { launchOptions, skipped } from '../../../vitest.chromium.ts'

/** A headless Chromium. Where there is none: an error in CI, else `undefined`. */
export async function launchBrowser(): Promise<Browser | undefined> {
  return skipped ? undefined : chromium.launch(launchOptions)
}
