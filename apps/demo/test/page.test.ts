import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type DemoServer, startDemo } from './server.ts'

const browser: Browser | undefined = await launchBrowser()
const complaints: string[] = []
let demo: DemoServer

beforeAll(async () => {
  demo = await startDemo()
})
afterAll(async () => {
  await browser?.close()
  await demo.stop()
})

/** Whatever is noticed in a page that must not be. */
function watch(page: Page): void {
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // Chromium itself notes every refusal that the cut is made of.
    const refusal = message.text().includes('503') && message.location().url.includes('/events')
    if (['error', 'warning'].includes(message.type()) && !refusal) complaints.push(message.text())
  })
}

/** Opens the page as a visitor of this name, and waits until it is live. */
async function visit(name: string): Promise<Page> {
  if (browser === undefined) throw new Error('There is no browser.')
  const context = await browser.newContext()
  const page = await context.newPage()
  watch(page)
  await page.goto(`${demo.url}/?name=${name}`)
  await connection(page, 'Live')
  return page
}

const connection = (page: Page, word: string) =>
  page.getByTestId('connection').getByText(word, { exact: true }).waitFor()

const notice = (page: Page, text: string) => page.locator('.notice', { hasText: text })

async function send(page: Page, to: string, text: string): Promise<void> {
  await page.getByRole('combobox', { name: 'To' }).selectOption(to)
  await page.getByLabel('Message').fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText(`Sent to ${to === 'Everybody' ? 'everybody' : to}.`).waitFor()
}

describe.skipIf(browser === undefined)('two pages', () => {
  let wren: Page
  let heron: Page

  beforeAll(async () => {
    wren = await visit('Wren')
    heron = await visit('Heron')
  })

  it('know of each other', async () => {
    for (const page of [wren, heron]) {
      await page.getByTestId('here').getByText('2', { exact: true }).waitFor()
      expect(await page.locator('.name').allTextContents()).toEqual([
        page === heron ? 'Heronyou' : 'Heron',
        page === wren ? 'Wrenyou' : 'Wren',
      ])
    }
  })

  it('say nothing of servers, where there is one', async () => {
    expect(await wren.getByRole('button', { name: /Kill/ }).count()).toBe(0)
    expect(await wren.getByRole('heading', { name: 'Servers' }).count()).toBe(0)
  })

  it('count together', async () => {
    await wren.getByRole('button', { name: 'Count up' }).click()
    await wren.getByRole('button', { name: 'Count up' }).click()
    await heron.getByTestId('count').getByText('2', { exact: true }).waitFor()
    await heron.getByText('Last counted by Wren').waitFor()
    await heron.getByRole('button', { name: 'Count down' }).click()
    await wren.getByTestId('count').getByText('1', { exact: true }).waitFor()
  })

  it('notify everybody, in the list and as a toast', async () => {
    await send(wren, 'Everybody', 'Good morning')
    for (const page of [wren, heron]) {
      await notice(page, 'Good morning').waitFor()
      await page.locator('.toast', { hasText: 'Good morning' }).waitFor()
      expect(await notice(page, 'Good morning').getAttribute('data-arrival')).toBe('live')
    }
  })

  it('notify one visitor and nobody else', async () => {
    await send(wren, 'Heron', 'Only for you')
    await send(wren, 'Everybody', 'For all, and later')
    await notice(heron, 'Only for you').waitFor()
    await notice(wren, 'For all, and later').waitFor()
    expect(await notice(wren, 'Only for you').count()).toBe(0)
  })

  it('say why a message is refused', async () => {
    await wren.getByLabel('Message').fill(' ')
    await wren.getByRole('button', { name: 'Send' }).click()
    await wren.getByText('Write a message first.').waitFor()
  })

  it('catch up what was sent while they were cut off, once', async () => {
    await heron.getByRole('button', { name: 'Cut my connection' }).click()
    await connection(heron, 'Waiting')
    await expect
      .poll(() => heron.getByTestId('connection-detail').textContent(), { timeout: 15_000 })
      .toMatch(/^The server is not taking you back yet \(503\)\. Attempt \d+ in \d+ s\.$/)
    await wren.locator('.name', { hasText: 'Heronaway' }).waitFor()
    await send(wren, 'Everybody', 'Sent meanwhile to all')
    await send(wren, 'Heron', 'Sent meanwhile to you')
    await wren.getByRole('button', { name: 'Count up' }).click()
    await wren.getByTestId('count').getByText('2', { exact: true }).waitFor()
    expect(await notice(heron, 'Sent meanwhile').count()).toBe(0)

    await connection(heron, 'Live')
    await heron.getByText(/Resumed at .* Nothing was missed\./).waitFor()
    await heron.getByTestId('count').getByText('2', { exact: true }).waitFor()
    await send(wren, 'Heron', 'After all that')
    await notice(heron, 'After all that').waitFor()
    const arrivals = await heron
      .locator('.notice')
      .evaluateAll((notices) => notices.slice(0, 4).map((each) => each.getAttribute('data-arrival')))
    expect(arrivals).toEqual(['live', 'caught up', 'caught up', 'live'])
    expect(await heron.locator('.notice-text').allTextContents()).toEqual([
      'After all that',
      'Sent meanwhile to you',
      'Sent meanwhile to all',
      'For all, and later',
      'Only for you',
      'Good morning',
    ])
  })

  it('show who comes later what was sent before, as such', async () => {
    const tern = await visit('Tern')
    await notice(tern, 'Good morning').waitFor()
    expect(await notice(tern, 'Good morning').getAttribute('data-arrival')).toBe('earlier')
    expect(await tern.locator('.toast').count()).toBe(0)
    expect(await notice(tern, 'Only for you').count()).toBe(0)
    await tern.context().close()
  })

  it('resume a plain EventSource as well', async () => {
    const id = 'e'.repeat(32)
    await wren.evaluate((visitor) => {
      const source = new EventSource(`/events?id=${visitor}`)
      source.addEventListener('sse.live', () => document.body.append(' plain-live '), { once: true })
      source.addEventListener('notification', (event) => {
        document.body.append(` plain-heard: ${JSON.parse(event.data).text} `)
      })
    }, id)
    await expect.poll(() => wren.textContent('body')).toContain('plain-live')
    const body = { id, seconds: 0 }
    await wren.request.post(`${demo.url}/cut`, { data: body })
    await wren.request.post(`${demo.url}/notifications`, { data: { from: 'Wren', text: 'between two' } })
    await expect
      .poll(() => wren.textContent('body'), { timeout: 20_000 })
      .toContain('plain-heard: between two')
    await wren.request.post(`${demo.url}/notifications`, { data: { from: 'Wren', text: 'and the last' } })
    await expect.poll(() => wren.textContent('body')).toContain('plain-heard: and the last')
    expect((await wren.textContent('body'))?.split('plain-heard: between two')).toHaveLength(2)
  })

  it('have nothing to complain about', () => {
    expect(complaints).toEqual([])
  })
})

describe.skipIf(browser === undefined)('a page', () => {
  it('is another visitor in a tab that was opened from it, and the same one after a reload', async () => {
    const page = await open()
    const context = page.context()
    const ids: (string | null)[] = []
    context.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url())
      if (pathname === '/events') ids.push(searchParams.get('id'))
    })
    await page.reload()
    await connection(page, 'Live')
    const opened = context.waitForEvent('page')
    await page.evaluate(() => {
      window.open(location.href)
    })
    await connection(await opened, 'Live')
    await page.goto('about:blank')
    await page.goBack()
    await connection(page, 'Live')
    await page.reload()
    await connection(page, 'Live')
    const [id, other] = ids
    expect(other).not.toBe(id)
    expect(ids).toEqual([id, other, id, id])
    await context.close()
  })

  it('works where the browser keeps nothing', async () => {
    const page = await open((page) =>
      page.addInitScript(() => {
        const denied = () => {
          throw new DOMException('denied', 'SecurityError')
        }
        for (const name of ['localStorage', 'sessionStorage']) {
          Object.defineProperty(window, name, { get: denied })
        }
      }),
    )
    expect(await page.locator('h1').count()).toBe(1)
    await page.context().close()
  })

  it('sends a message once, and keeps what is typed meanwhile', async () => {
    const page = await open()
    let answer = (): void => {}
    let posts = 0
    await page.route('**/notifications', async (route) => {
      posts += 1
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      await route.continue()
    })
    const field = page.getByLabel('Message')
    await field.fill('only once')
    await field.press('Enter')
    await field.press('Enter')
    await field.fill('the next one, half typ')
    await expect.poll(() => posts).toBe(1)
    answer()
    await page.getByText('Sent to everybody.').waitFor()
    expect(await field.inputValue()).toBe('the next one, half typ')
    expect(posts).toBe(1)
    await page.context().close()
  })

  it('shows each failure for itself', async () => {
    const page = await open()
    await page.route('**/counter', (route) => route.abort())
    const toasts = page.locator('.toast', { hasText: 'That did not work' })
    for (const failures of [1, 2]) {
      await page.getByRole('button', { name: 'Count up' }).click()
      await expect.poll(() => toasts.count()).toBe(failures)
    }
    await page.context().close()
  })
})

/** Opens the page in a browser that knows nothing of it, once it was prepared, and waits until it is live. */
async function open(prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
  if (browser === undefined) throw new Error('There is no browser.')
  const page = await (await browser.newContext()).newPage()
  await prepare?.(page)
  await page.goto(demo.url)
  await connection(page, 'Live')
  return page
}
