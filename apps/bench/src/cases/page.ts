import { setTimeout as wait } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { launch, open, script } from '../browser.ts'
import type { Counts } from '../counts.ts'
import { type Plan, progress } from '../plan.ts'
import { startWorker } from '../processes.ts'
import { takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'
import type { ServerRequests } from '../server.ts'

const RATE = 10_000
/** How long to wait until the page has handled the last events, in milliseconds. */
const PATIENCE = 10_000

/** Pages, by their name in the results. */
const PAGES: Readonly<Record<string, string>> = { 'EventSource and useState': '#naive', useEventSource: '' }

/** More events than anybody can read, into a React page. */
export async function page(plan: Plan): Promise<Section[]> {
  progress('a React page in Chromium')
  const seconds = plan.quick ? 2 : 4
  const pages = new Map(Object.keys(PAGES).map((name) => [name, Math.min(2, plan.rounds)]))
  const code = await script()
  const browser = await launch()
  try {
    const outcomes = await takeTurns(pages, (name) => flood(browser, code, PAGES[name] ?? '', seconds))
    return [
      {
        title: 'A React page',
        about: `${RATE.toLocaleString('en')} events/s of 100 B for ${seconds} s, sent by @sse/express to a page in headless Chromium, whose one component shows the newest; measured until the page has handled the last one.`,
        baseline: 'EventSource and useState',
        columns: [
          column('page.lost', 'lost', 'events', outcomes, 'lost'),
          column('page.renders', 'renders', '/s', outcomes, 'renders'),
          column('page.longTasks', 'long tasks', 'tasks', outcomes, 'longTasks'),
          column('page.longest', 'longest task', 'ms', outcomes, 'longest'),
          column('page.behind', 'time to catch up at the end', 'ms', outcomes, 'behind'),
        ],
      },
    ]
  } finally {
    await browser.close()
  }
}

async function flood(
  browser: Browser,
  code: string,
  hash: string,
  seconds: number,
): Promise<{ lost: number; renders: number; longTasks: number; longest: number; behind: number }> {
  const server = startWorker<ServerRequests>(new URL('../server.ts', import.meta.url))
  try {
    const { port } = await server.ask('start', { name: 'sse' })
    const page = await open(browser, port, code, hash)
    const counts = (): Promise<Counts> => page.evaluate<Counts>('bench')
    // One event shows that the stream is open.
    while ((await counts()).events === 0) {
      await server.ask('publish', { bytes: 100, common: 1, turns: 1, within: 0, pause: 50 })
    }
    const before = await page.evaluate<Counts>('Object.assign(bench, { longest: 0 })')
    const start = performance.now()
    const { common } = await server.ask('pour', { bytes: 100, rate: RATE, seconds })
    const published = performance.now()
    let after = await counts()
    while (after.events - before.events < common && performance.now() - published < PATIENCE) {
      await wait(20)
      after = await counts()
    }
    const end = performance.now()
    await page.close()
    return {
      lost: common - (after.events - before.events),
      renders: (after.renders - before.renders) / ((end - start) / 1000),
      longTasks: after.longTasks - before.longTasks,
      longest: after.longest,
      behind: end - published,
    }
  } finally {
    await server.stop()
  }
}
