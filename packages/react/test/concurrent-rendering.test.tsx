import { Suspense, startTransition, useLayoutEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createEventSource, type TypedEventSource, useEventSource, useLatest } from '../src/index.ts'
import { type Events, events } from './contract.ts'
import { startStreamServer } from './stream-server.ts'

type Props = { readonly source: TypedEventSource<Events> }

/** Rendering it takes longer than a slice of a transition, so that events arrive between two of them. */
function Slow({ source, index }: Props & { readonly index: number }) {
  work(6)
  const viaLatest = useLatest(source, 'counter', (counter) => counter?.value)
  const { latest } = useEventSource(source)
  const value = index % 2 === 0 ? viaLatest : latest.counter?.value
  return <i>{value ?? 'none'}</i>
}

function List({ source, onCommit }: Props & { readonly onCommit: () => void }) {
  useLayoutEffect(() => {
    onCommit()
  })
  return Array.from({ length: 12 }, (_, index) => index).map((index) => (
    <Slow key={index} source={source} index={index} />
  ))
}

function App({ source, onCommit }: Props & { readonly onCommit: () => void }) {
  const [shown, setShown] = useState(false)
  return shown ? (
    <List source={source} onCommit={onCommit} />
  ) : (
    <button type="button" onClick={() => startTransition(() => setShown(true))} />
  )
}

function work(milliseconds: number): void {
  const start = performance.now()
  while (performance.now() - start < milliseconds);
}

beforeEach(() => {
  // Transitions are rendered as in a page, not at once as by act.
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', false)
  return () => vi.unstubAllGlobals()
})

function mount(): { readonly root: ReturnType<typeof createRoot>; readonly page: HTMLElement } {
  const page = document.createElement('div')
  document.body.append(page)
  const root = createRoot(page)
  onTestFinished(() => {
    root.unmount()
    page.remove()
  })
  return { root, page }
}

describe('concurrent rendering', () => {
  it('never commits two components of a source with different payloads', { timeout: 60_000 }, async () => {
    const server = await startStreamServer()
    const live = createEventSource(server.url(), { events })
    let arrived = 0
    live.on('counter', () => (arrived += 1))
    // At the page too: what is still on its way would take turns that a transition has few of.
    await vi.waitFor(() => expect(live.getState().status).toBe('open'))

    /** @returns how many events came while the transition was rendered */
    async function transit(): Promise<number> {
      const committed: string[][] = []
      const { root, page } = mount()
      const values = () => [...page.querySelectorAll('i')].map((i) => i.textContent)
      const before = arrived
      let meanwhile: number | undefined
      root.render(
        <App
          source={live}
          onCommit={() => {
            committed.push(values())
            meanwhile ??= arrived - before
          }}
        />,
      )
      await vi.waitFor(() => expect(page.querySelector('button')).not.toBeNull())

      page.querySelector('button')?.click()
      let value = 0
      const sending = setInterval(() => server.send('counter', { value: ++value }), 3)
      onTestFinished(() => clearInterval(sending))
      await vi.waitFor(() => expect(committed.length).toBeGreaterThan(0), { timeout: 5000 })
      clearInterval(sending)
      server.send('counter', { value: -1 })
      await vi.waitFor(() => expect(new Set(values())).toEqual(new Set(['-1'])), { timeout: 5000 })
      for (const seen of committed) expect(new Set(seen).size).toBe(1)
      root.unmount()
      return meanwhile ?? 0
    }

    // React renders a transition in one go now and then, where the machine is busy: that would show nothing.
    let most = 0
    for (let transition = 0; transition < 10 && most < 2; transition++) most = await transit()
    expect(most).toBeGreaterThan(1)
    live.close()
  })

  it('opens one connection when the first render is suspended and begun anew', async () => {
    const server = await startStreamServer()
    let settle = () => {}
    let settled = false
    const ready = new Promise<void>((resolve) => {
      settle = () => {
        settled = true
        resolve()
      }
    })
    const { root, page } = mount()
    root.render(
      <Suspense fallback={<b>waiting</b>}>
        <Suspended url={server.url()} wait={() => (settled ? undefined : ready)} />
      </Suspense>,
    )
    await vi.waitFor(() => expect(page.textContent).toBe('waiting'))
    expect(server.requests).toHaveLength(0)
    settle()
    await vi.waitFor(() => expect(page.textContent).toBe('open'))
    expect(server.requests).toHaveLength(1)
  })
})

function Suspended({ url, wait }: { readonly url: string; readonly wait: () => Promise<void> | undefined }) {
  const { status } = useEventSource(url, { events })
  const pending = wait()
  if (pending !== undefined) throw pending
  return <p>{status}</p>
}
