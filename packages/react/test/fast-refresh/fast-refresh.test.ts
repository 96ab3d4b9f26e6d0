import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startStreamServer } from '../stream-server.ts'
import { type App, launch, startApp } from './app.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

const shows = (app: App, text: string) =>
  vi.waitFor(async () => expect(await app.page.textContent('button')).toBe(text), 10_000)

/** A component with a state of its own, that says what it hears. */
const component = (source: string, options = '') => `
import { useState } from 'react'
import { useEventSource } from '@sse/react'
import { live } from './live.ts'

export function App() {
  const [clicks, setClicks] = useState(0)
  const { status, latest } = useEventSource(${source}, {
    ${options}
    on: { message: (word) => console.info('heard', word) },
  })
  return <button onClick={() => setClicks(clicks + 1)}>clicks {clicks} {status} {latest.message}</button>
}
`

const moduleLevel = (url: string) => `
import { createEventSource } from '@sse/react'

export const live = createEventSource('${url}')
`

describe('Fast Refresh', () => {
  it.each([
    { of: 'a url', method: 'GET', source: (url: string) => [`'${url}'`] },
    { of: 'a source of a module', method: 'GET', source: () => ['live'] },
    {
      of: 'a request that is not GET',
      method: 'POST',
      source: (url: string) => [`'${url}'`, "method: 'POST',"],
    },
  ])(
    'keeps the connection of $of, and the state, and calls the newest handler',
    async ({ method, source }) => {
      const server = await startStreamServer()
      const [input = '', options] = source(server.url())
      const app = await startApp(browser, {
        'live.ts': moduleLevel(server.url()),
        'App.tsx': component(input, options),
      })
      await shows(app, 'clicks 0 open ')
      await app.page.click('button')
      server.send('message', 'one')
      await shows(app, 'clicks 1 open one')

      await app.edit('App.tsx', { '>clicks {': '>edited {' })
      await shows(app, 'edited 1 open one')
      await app.edit('App.tsx', { '>edited': '>edited twice', "'heard'": "'heard anew'" })
      await shows(app, 'edited twice 1 open one')
      server.send('message', 'two')
      await shows(app, 'edited twice 1 open two')

      expect(app.logged.filter((text) => text.startsWith('heard'))).toEqual(['heard one', 'heard anew two'])
      expect(app.logged.filter((text) => text.includes('rror'))).toEqual([])
      expect(server.requests.map((request) => request.method)).toEqual([method])
      expect(server.streams).toBe(1)
    },
  )

  it('says that a url keeps the contract with which it was opened, and takes the new one with a source of a module', async () => {
    const server = await startStreamServer()
    const app = await startApp(browser, {
      'events.ts': `
import { defineEvents, payload } from '@sse/contract'

export const events = defineEvents({ message: payload() })
`,
      'live.ts': `
import { createEventSource } from '@sse/react'
import { events } from './events.ts'

export const live = createEventSource('${server.url('/module')}', { events })
`,
      'App.tsx': `
import { useEventSource } from '@sse/react'
import { events } from './events.ts'
import { live } from './live.ts'

export function App() {
  const byUrl = useEventSource('${server.url('/url')}', { events })
  const { latest, status } = useEventSource(live)
  return <button>{byUrl.status} {status} {latest.added}</button>
}
`,
    })
    await shows(app, 'open open ')
    await app.edit('events.ts', { 'payload()': 'payload(), added: payload()' })
    await vi.waitFor(() => expect(server.requests).toHaveLength(3), 10_000)
    await shows(app, 'open open ')
    server.send('added', 'one', '/module')
    await shows(app, 'open open one')
    const warnings = app.logged.filter((text) => text.includes("differ in 'events'"))
    expect(new Set(warnings)).toEqual(new Set([expect.stringContaining('/url')]))
    await vi.waitFor(() => expect(server.streams).toBe(2)) // the former source of the module is closed
  })

  it('reduces by the newest reducer: from its initial state, or on from where a function that it calls was edited', async () => {
    const server = await startStreamServer()
    const app = await startApp(browser, {
      'App.tsx': `
import { useEventReducer } from '@sse/react'

const step = (sum) => sum + 1

export function App() {
  const sum = useEventReducer('${server.url()}', { initial: 0, reduce: { message: (sum) => step(sum) } })
  return <button>sum {sum}</button>
}
`,
    })
    await shows(app, 'sum 0')
    await vi.waitFor(() => expect(server.streams).toBe(1))
    server.send('message', 'one')
    await shows(app, 'sum 1')

    await app.edit('App.tsx', { 'sum + 1': 'sum + 10', '>sum': '>edited' })
    await shows(app, 'edited 1')
    server.send('message', 'two')
    await shows(app, 'edited 11')

    await app.edit('App.tsx', { 'step(sum) }': 'step(sum) + 0.5 }' })
    await shows(app, 'edited 0')
    server.send('message', 'three')
    await shows(app, 'edited 10.5')
    expect(server.requests).toHaveLength(1)
  })
})
