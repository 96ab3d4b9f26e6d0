import { createEventSource } from '@sse/react'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { events } from '../shared/events.ts'
import { launchBrowser } from './browser.ts'
import { redisIsMissing } from './redis.ts'
import { type DemoServer, startDemo } from './server.ts'

const browser: Browser | undefined = redisIsMissing ? undefined : await launchBrowser()
const KILLS = 3

describe.skipIf(browser === undefined)('a page whose server is killed', () => {
  let demo: DemoServer
  let page: Page
  const complaints: string[] = []
  /** The ticks that a reader beside the page hears, in the order of their arrival. */
  const ticks: number[] = []
  const reader = () => createEventSource(`${demo.url}/events`, { events })
  let beside: ReturnType<typeof reader>

  beforeAll(async () => {
    demo = await startDemo('server/cluster/main.ts')
    beside = reader()
    beside.on('tick', ({ n }) => ticks.push(n))
    page = (await browser?.newPage()) ?? expect.fail('There is no browser.')
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(`${demo.url}/?name=Wren`)
  })
  afterAll(async () => {
    beside?.close()
    await browser?.close()
    await demo?.stop()
  })

  const mine = () => page.locator('.server[data-standing="your stream"] .server-name')
  const post = (path: string, data: object) => page.request.post(`${demo.url}${path}`, { data })

  it('shows which server it is on', async () => {
    await mine().waitFor()
    expect(await page.locator('.server-name').allTextContents()).toEqual(['A', 'B', 'C'])
    await page.getByRole('button', { name: `Kill server ${await mine().textContent()}` }).waitFor()
  })

  it('goes on with another one, again and again', async () => {
    for (let kill = 1; kill <= KILLS; kill++) {
      // There is another one.
      await page.locator('.server[data-standing="up"]').first().waitFor()
      const killed = await mine().textContent()
      await page.getByRole('button', { name: `Kill server ${killed}` }).click()
      await page.locator('.server[data-standing="lost"]', { hasText: `${killed}` }).waitFor()
      // While the page is away, the others go on.
      expect((await post('/notifications', { from: 'Tern', text: `Notice ${kill}` })).status()).toBe(202)
      expect((await post('/counter', { by: 1, from: 'Tern' })).status()).toBe(202)
      await mine().waitFor()
      expect(await mine().textContent()).not.toBe(killed)
      await page.locator('.notice', { hasText: `Notice ${kill}` }).waitFor()
      await page.getByText(/Resumed at .* Nothing was missed\./).waitFor()
    }
  })

  it('has missed nothing, and nothing came twice', async () => {
    const notices = Array.from({ length: KILLS }, (_, n) => `Notice ${KILLS - n}`)
    expect(await page.locator('.notice-text').allTextContents()).toEqual(notices)
    await page.getByTestId('count').getByText(String(KILLS), { exact: true }).waitFor()
    expect(await page.getByTestId('tally').textContent()).toBe('none missing, none twice')

    const [first = 0] = ticks
    expect(ticks.length).toBeGreaterThan(10)
    expect(ticks).toEqual(ticks.map((_, index) => first + index))
  })

  it('sees the killed servers come back', async () => {
    await expect.poll(() => page.locator('.server[data-standing="up"]').count()).toBe(2)
    expect(complaints).toEqual([])
  })
})
