import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { EventSourceProvider, fetchTransport } from '../../src/index.ts'
import { startStreamServer } from '../stream-server.ts'
import { nativeLifecycle } from './native-lifecycle.ts'
import { render, Screen } from './screen.tsx'

/** An app that is put into the background and loses its network as it is told. */
function createApp() {
  const states = new Set<(state: string) => void>()
  const networks = new Set<(network: { readonly isConnected: boolean | null }) => void>()
  const app = {
    currentState: 'active',
    addEventListener: (_type: 'change', listener: (state: string) => void) => states.add(listener),
  }
  const network = {
    addEventListener(listener: (network: { readonly isConnected: boolean | null }) => void) {
      networks.add(listener)
      listener({ isConnected: null }) // not known yet
    },
  }
  return {
    lifecycle: nativeLifecycle(app, network),
    enter(state: string) {
      app.currentState = state
      for (const listener of states) listener(state)
    },
    connect(isConnected: boolean) {
      for (const listener of networks) listener({ isConnected })
    },
  }
}

describe('the lifecycle of an app', () => {
  it('lets go of the connection in the background, and resumes it in the foreground', async () => {
    const server = await startStreamServer()
    const app = createApp()
    const screen = render(
      <EventSourceProvider
        baseUrl={server.url('/')}
        transport={{ ...fetchTransport, lifecycle: app.lifecycle }}
      >
        <Screen />
      </EventSourceProvider>,
    )
    await screen.shows('open')
    server.send('counter', { value: 1 })
    await screen.shows('open 1')
    app.enter('inactive')
    await screen.shows('open 1')
    app.enter('background')
    await screen.shows('paused frozen 1')
    await vi.waitFor(() => expect(server.streams).toBe(0))
    app.enter('active')
    await screen.shows('open 1')
    expect(server.requests.map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'e-1'])
  })

  it('waits for the network', async () => {
    const server = await startStreamServer()
    const app = createApp()
    const screen = render(
      <EventSourceProvider
        baseUrl={server.url('/')}
        transport={{ ...fetchTransport, lifecycle: app.lifecycle }}
      >
        <Screen />
      </EventSourceProvider>,
    )
    await screen.shows('open')
    app.connect(false)
    await screen.shows('paused offline')
    app.connect(true)
    await screen.shows('open')
    expect(server.requests).toHaveLength(2)
  })

  it('is in the guide as it is here', () => {
    const guide = readFileSync(join(import.meta.dirname, '../../../../docs/react.md'), 'utf8')
    const adaptor = readFileSync(join(import.meta.dirname, 'native-lifecycle.ts'), 'utf8')
    expect(guide).toContain(adaptor)
  })
})
