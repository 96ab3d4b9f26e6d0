import { createServer, type Server } from 'node:http'
import { type SseOptions, sse } from '@sse/express'
import { serve } from '@sse/express/testing'
import { act, screen, waitFor } from '@testing-library/react'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { useEventReducer, useEventSource } from '../src/index.ts'
import { type Events, events } from './contract.ts'
import { mount } from './mount.tsx'

/** An app with a hub, and a page's stream of its news. */
async function startApp(options: SseOptions<Events> = {}) {
  const hub = sse({ events, retry: 50, ...options })
  const app = express()
  app.use((_req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', '*')
    next()
  })
  app.use(hub)
  app.get('/events', async (_req, res) => {
    await res.sse.join('news')
  })
  const server: Server = createServer(app)
  const url = `${await serve(server)}/events`
  onTestFinished(async () => {
    await hub.close({ within: 0 })
    server.closeAllConnections()
    server.close()
  })
  return { url, hub, news: hub.channel('news'), cut: () => server.closeAllConnections() }
}

function Page({ url, seen = () => {} }: { readonly url: string; readonly seen?: (what: string) => void }) {
  const { status, latest } = useEventSource(url, {
    events,
    on: { notification: ({ title }) => seen(title) },
    onResync: ({ reason }) => seen(`(${reason})`),
  })
  const titles = useEventReducer(url, {
    events,
    initial: [] as string[],
    reduce: { notification: (list, { title }) => [...list, title] },
    onGap: (list, { reason }) => [...list, `(${reason})`],
  })
  return (
    <>
      <p>{status}</p>
      <output>
        {latest.counter?.value ?? '-'} {titles.join()}
      </output>
    </>
  )
}

function Continued({
  url,
  cursor,
  seen,
}: {
  readonly url: string
  readonly cursor: string
  readonly seen: (title: string) => void
}) {
  useEventSource(url, { events, cursor, on: { notification: ({ title }) => seen(title) } })
  return null
}

function Rush({ url, seen }: { readonly url: string; readonly seen: (title: string) => void }) {
  const { latest } = useEventSource(url, { events, on: { notification: ({ title }) => seen(title) } })
  const count = useEventReducer(url, { events, initial: 0, reduce: { notification: (sum) => sum + 1 } })
  return (
    <p>
      {count} {latest.notification?.title}
    </p>
  )
}

describe('a page with @sse/express', () => {
  it('shows a first-time reader the newest state, then what is published', async () => {
    const { url, news } = await startApp()
    await news.publish('counter', { value: 1 })
    await news.publish('counter', { value: 2 })
    const seen: string[] = []
    mount(<Page url={url} seen={(what) => seen.push(what)} />, { strict: true })
    await screen.findByText('2')
    await news.publish('notification', { title: 'a' })
    await news.publish('counter', { value: 3 })
    await screen.findByText('3 a')
    expect(seen).toEqual(['a'])
  })

  it('catches up what was published while the connection was away, each event once and in order', async () => {
    const { url, news, hub, cut } = await startApp()
    const seen: string[] = []
    mount(<Page url={url} seen={(what) => seen.push(what)} />, { strict: true })
    await screen.findByText('open')
    await news.publish('notification', { title: 'a' })
    await screen.findByText('- a')
    cut()
    await waitFor(() => expect([...hub.streams]).toHaveLength(0))
    await screen.findByText('retrying')
    for (const title of ['b', 'c', 'd']) await news.publish('notification', { title })
    await screen.findByText('- a,b,c,d')
    await news.publish('notification', { title: 'e' })
    await screen.findByText('- a,b,c,d,e')
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('is told where events are missing, before anything newer', async () => {
    const { url, news, cut } = await startApp({ history: { length: 2 } })
    const seen: string[] = []
    mount(<Page url={url} seen={(what) => seen.push(what)} />)
    await screen.findByText('open')
    await news.publish('notification', { title: 'a' })
    await screen.findByText('- a')
    cut()
    await screen.findByText('retrying')
    for (const title of ['b', 'c', 'd', 'e']) await news.publish('notification', { title })
    await screen.findByText('- a,(evicted),d,e')
    expect(seen).toEqual(['a', '(evicted)', 'd', 'e'])
  })

  it('goes on from the cursor of a page that was rendered on the server', async () => {
    const { url, news, hub } = await startApp()
    await news.publish('notification', { title: 'on the page' })
    const cursor = await hub.cursor()
    await news.publish('notification', { title: 'meanwhile' })
    const seen: string[] = []
    mount(<Continued url={url} cursor={cursor} seen={(title) => seen.push(title)} />, { strict: true })
    await waitFor(() => expect(seen).toEqual(['meanwhile']))
    await news.publish('notification', { title: 'later' })
    await waitFor(() => expect(seen).toEqual(['meanwhile', 'later']))
  })

  it('stays away once its stream was ended', async () => {
    const { url, news } = await startApp()
    mount(<Page url={url} />)
    await screen.findByText('open')
    await act(() => news.end('over'))
    await screen.findByText('closed')
  })

  it('loses none of 10,000 events in a second, and commits at most once a frame', async () => {
    const { url, news, hub } = await startApp({ history: { length: 20_000 } })
    const seen: string[] = []
    const page = mount(<Rush url={url} seen={(title) => seen.push(title)} />)
    await waitFor(() => expect([...hub.streams]).toHaveLength(1))
    let frames = 0
    let running = requestAnimationFrame(function frame() {
      frames += 1
      running = requestAnimationFrame(frame)
    })
    const before = page.commits
    const titles = Array.from({ length: 10_000 }, (_, index) => String(index))
    for (const [index, title] of titles.entries()) {
      void news.publish('notification', { title })
      if (index % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
    }
    await screen.findByText('10000 9999')
    cancelAnimationFrame(running)
    expect(seen).toEqual(titles)
    expect(page.commits - before).toBeLessThanOrEqual(frames + 1)
  })
})
