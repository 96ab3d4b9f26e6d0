import { screen } from '@testing-library/react'
import fc from 'fast-check'
import type { ReactNode } from 'react'
import { expect, it } from 'vitest'
import { EventSourceProvider, useEventSource } from '../src/index.ts'
import { createMockTransport } from '../src/testing/index.ts'
import { events } from './contract.ts'
import { mount } from './mount.tsx'

const LINGER = 1_000
const urls = ['/a', '/b', '/c'] as const
type Url = (typeof urls)[number]

/** What may happen to a page and its streams. */
type Step =
  | { readonly type: 'show'; readonly url: Url | null; readonly times: number }
  | { readonly type: 'hide' }
  | { readonly type: 'emit'; readonly url: Url }
  | { readonly type: 'drop'; readonly url: Url }
  | { readonly type: 'wait'; readonly milliseconds: number }

const url = fc.constantFrom(...urls)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('show' as const),
    url: fc.oneof({ weight: 5, arbitrary: url }, { weight: 1, arbitrary: fc.constant(null) }),
    times: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ type: fc.constant('hide' as const) }),
  fc.record({ type: fc.constant('emit' as const), url }),
  fc.record({ type: fc.constant('drop' as const), url }),
  fc.record({
    type: fc.constant('wait' as const),
    milliseconds: fc.constantFrom(0, LINGER / 2, LINGER * 2, 60_000),
  }),
)

/** Everything inline, as people write it. */
function Page({ url, seen }: { readonly url: Url | null; readonly seen: (title: string) => void }) {
  const { status, latest } = useEventSource(url, {
    events,
    linger: LINGER,
    headers: { 'x-random': String(seen) },
    on: { notification: ({ title }) => seen(`${url} ${title}`) },
  })
  return <p>{`${status} ${latest.notification?.title ?? ''}`}</p>
}

it('keeps to one connection and every event once, whatever happens to the page', async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 30 }), async (strict, steps) => {
      const mock = createMockTransport(events)
      const seen: string[] = []
      const owed: string[] = []
      /** How often a connection may have been asked for, by url. */
      const allowed = new Map<Url, number>()
      let shown: Url | null = null
      let emitted = 0
      const app = (content: ReactNode) => (
        <EventSourceProvider transport={mock}>{content}</EventSourceProvider>
      )
      const page = mount(app(null), { strict })

      for (const step of steps) {
        switch (step.type) {
          case 'show': {
            if (step.url !== null && step.url !== shown)
              allowed.set(step.url, (allowed.get(step.url) ?? 0) + 1)
            shown = step.url
            for (let time = 0; time < step.times; time += 1) {
              page.rerender(app(<Page url={shown} seen={(title) => seen.push(title)} />))
            }
            break
          }
          case 'hide':
            page.rerender(app(null))
            shown = null
            break
          case 'emit': {
            emitted += 1
            const title = `${step.url} ${emitted}`
            if (step.url === shown && mock.at(step.url).streams > 0) owed.push(`${step.url} ${title}`)
            mock.at(step.url).emit('notification', { title })
            break
          }
          case 'drop':
            if (mock.at(step.url).streams > 0) allowed.set(step.url, (allowed.get(step.url) ?? 0) + 1)
            mock.at(step.url).drop()
            break
          case 'wait':
            await mock.advance(step.milliseconds)
        }
        for (const url of urls) expect(mock.at(url).streams).toBeLessThanOrEqual(1)
        const text = screen.queryByText(/./)?.textContent ?? ''
        if (text.includes('/')) expect(text).toContain(` ${shown} `)
      }

      await mock.advance(60_000)
      for (const url of urls) {
        expect(mock.at(url).streams).toBe(url === shown ? 1 : 0)
        expect(mock.at(url).requests.length).toBeLessThanOrEqual(allowed.get(url) ?? 0)
      }
      // In order, none twice, all of its own url, and all that came while the stream was open.
      expect(seen).toEqual([...new Set(seen)])
      for (const url of urls) {
        const numbers = seen
          .filter((title) => title.startsWith(url))
          .map((title) => Number(title.split(' ')[2]))
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
      for (const title of seen) expect(title.split(' ')[0]).toBe(title.split(' ')[1])
      expect(owed.filter((title) => !seen.includes(title))).toEqual([])
      page.unmount()
    }),
    { numRuns: 200 },
  )
}, 60_000)
