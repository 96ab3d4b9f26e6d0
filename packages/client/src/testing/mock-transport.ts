import type { AnyContract, AnyEvents } from '@sse/contract'
import type { LifecycleSignal } from '../lifecycle.ts'
import type { Transport } from '../transport.ts'
import { createMockServer, type MockEndpoint, type MockServer } from './mock-endpoint.ts'
import { createMockLifecycle } from './mock-lifecycle.ts'
import { createVirtualClock } from './virtual-clock.ts'

/** A transport without a network, in virtual time: one line brings an app into each of its states. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface MockTransport<E = any> extends Required<Transport> {
  /** The server at a url. */
  at(url: string): MockEndpoint<E>
  /** Lets time pass, in milliseconds, with everything that is due in it. */
  advance(milliseconds: number): Promise<void>
  /** Lets everything that has begun finish, without time passing. */
  settle(): Promise<void>
  /** Lets time pass, in milliseconds, without running anything: the machine sleeps. A negative time sets the clock back. */
  sleep(milliseconds: number): void
  /** The time, in milliseconds since the epoch. */
  now(): number
  /** How many timers are set. */
  readonly timers: number
  /** How many sources listen to the page's signals. */
  readonly listeners: number
  online(): void
  offline(): void
  hide(): void
  show(): void
  freeze(): void
  thaw(): void
}

export interface MockTransportOptions {
  /** The random numbers of the backoff, from 0 to less than 1. @defaultValue always 0.5 */
  readonly random?: (() => number) | undefined
  /** The time at the start, in milliseconds since the epoch. @defaultValue 2026-01-01 */
  readonly now?: number | undefined
}

/**
 * Creates a transport for tests: it accepts every connection, keeps it alive with heartbeats, and otherwise does as told.
 *
 * @param events - the contract, which types and checks what is emitted
 *
 * @example
 * const mock = createMockTransport(events)
 * const live = createEventSource('/events', { events, transport: mock })
 * live.open()
 * await mock.settle()
 * mock.at('/events').drop()
 * live.getState().status // 'retrying'
 */
export function createMockTransport<E = AnyEvents>(
  events?: E & AnyContract,
  options: MockTransportOptions = {},
): MockTransport<E> {
  const { random = () => 0.5, now = Date.UTC(2026, 0, 1) } = options
  const clock = createVirtualClock(now, random)
  const lifecycle = createMockLifecycle()
  const servers = new Map<string, MockServer<E>>()
  const signal = (name: LifecycleSignal) => (): void => lifecycle.signal(name)

  function at(url: string): MockServer<E> {
    const server = servers.get(url) ?? createMockServer<E>(events, clock)
    servers.set(url, server)
    return server
  }

  return {
    clock,
    lifecycle,
    connect: (request, handlers) => at(request.url).connect(request, handlers),
    at,
    now: clock.now,
    advance: clock.advance,
    settle: () => clock.advance(0),
    sleep: clock.sleep,
    get timers() {
      return clock.pending
    },
    get listeners() {
      return lifecycle.listeners
    },
    online: signal('online'),
    offline: signal('offline'),
    hide: () => lifecycle.show(false),
    show: () => lifecycle.show(true),
    freeze: signal('freeze'),
    thaw: signal('resume'),
  }
}
