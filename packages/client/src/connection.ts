import { type ControlEvent, type DecodedEvent, decodeControl, isControl } from '@sse/protocol'
import { backoff, clampRetry, DEFAULT_RETRY, MIN_INTERVAL } from './backoff.ts'
import { systemClock } from './clock.ts'
import { ConnectionError } from './errors.ts'
import { fetchTransport } from './fetch-transport.ts'
import { type ConnectionEvent, initialState, transition } from './machine.ts'
import type { EventSourceOptions, PerAttempt } from './options.ts'
import type { Resync } from './source.ts'
import type { ConnectionState } from './state.ts'

/** What a connection tells its source. */
export interface ConnectionHooks {
  state(): void
  event(event: DecodedEvent, replayed: boolean): void
  remove(event: string, key: string): void
  /** What was told since the last time came together. */
  commit(): void
  resync(resync: Resync): void
  error(error: ConnectionError): void
}

export interface Connection {
  readonly state: ConnectionState
  readonly cursor: string
  open(): void
  release(): void
  reconnect(): void
  close(by: 'client' | 'server', reason: string): void
}

/** Runs the machine over a transport: one attempt at a time, and one timer. */
export function createConnection(
  url: PerAttempt<string | URL>,
  options: EventSourceOptions,
  hooks: ConnectionHooks,
): Connection {
  const transport = options.transport ?? fetchTransport
  const clock = transport.clock ?? systemClock
  let state = initialState
  let cursor = options.cursor ?? ''
  let retry = DEFAULT_RETRY
  let attempts = 0
  let startedAt = 0
  /** The number of the attempt that may speak; those before it are superseded. */
  let current = 0
  let abort: (() => void) | undefined
  let cancelTimer: (() => void) | undefined
  let replaying = false

  function send(event: ConnectionEvent): void {
    const next = transition(state, event)
    if (next === state) return
    const { status } = state
    state = next
    if (next.status !== 'open') stop()
    else if (status !== 'open') after(undefined)
    hooks.state()
    if (state !== next) return // a listener moved on
    if (next.status === 'connecting') start()
    else if (next.status === 'retrying') {
      after(next.retryAt - clock.now(), () => send({ type: 'due', attempt: next.attempt }))
    }
  }

  /** The one place that ends an attempt and its timer. */
  function stop(): void {
    current += 1
    after(undefined)
    const aborted = abort
    abort = undefined
    aborted?.()
  }

  function after(milliseconds: number | undefined, callback: () => void = () => {}): void {
    cancelTimer?.()
    cancelTimer = milliseconds === undefined ? undefined : clock.after(milliseconds, callback)
  }

  async function start(): Promise<void> {
    const number = current
    const alive = (): boolean => number === current
    attempts += 1
    startedAt = clock.now()
    replaying = false
    const { connectTimeout = 30_000 } = options
    after(connectTimeout, () =>
      lost(new ConnectionError('timeout', `The server did not answer within ${connectTimeout} ms.`)),
    )
    try {
      const target = await ask(url)
      const headers = (await ask(options.headers)) ?? {}
      if (!alive()) return
      abort = transport.connect(
        {
          url: String(target),
          method: options.method ?? 'GET',
          headers,
          body: options.body,
          credentials: options.credentials ?? 'same-origin',
          cursor,
          fetch: options.fetch,
          events: options.events && Object.keys(options.events.definitions),
        },
        {
          open: () => {
            if (!alive()) return
            send({ type: 'opened', since: clock.now(), continuity: cursor === '' ? 'fresh' : 'gap' })
          },
          event: (event) => {
            if (!alive()) return
            cursor = event.id
            receive(event)
          },
          flush: (lastEventId) => {
            if (!alive()) return
            cursor = lastEventId
            hooks.commit()
          },
          retry: (milliseconds) => {
            if (alive()) retry = clampRetry(milliseconds)
          },
          end: (error) => {
            if (alive()) lost(error)
          },
        },
      )
    } catch (cause) {
      if (alive()) lost(new ConnectionError('network', 'The url or the headers could not be had.', { cause }))
    }
  }

  function receive(event: DecodedEvent): void {
    if (!isControl(event.event)) {
      hooks.event(event, replaying)
      return
    }
    const control = decodeControl(event.event, event.data)
    if (control !== undefined) obey(control)
  }

  function obey(control: ControlEvent): void {
    switch (control.event) {
      case 'sse.open':
        replaying = true
        break
      case 'sse.live':
        replaying = false
        break
      case 'sse.gap':
        send({ type: 'gap' })
        hooks.resync(control.data)
        break
      case 'sse.remove':
        hooks.remove(control.data.event, control.data.key)
        break
      case 'sse.close':
        close('server', control.data.reason)
    }
  }

  function lost(error: ConnectionError): void {
    hooks.commit()
    if (error.status === 204) {
      close('server', 'no content')
      return
    }
    const attempt = attempts + 1
    if (attempt > (options.maxAttempts ?? Number.POSITIVE_INFINITY)) {
      send({ type: 'fail', error })
    } else {
      const delay = backoff({ attempt, retry, random: clock.random(), retryAfter: error.retryAfter })
      const retryAt = Math.max(clock.now() + delay, startedAt + MIN_INTERVAL)
      send({ type: 'retry', attempt, retryAt, error })
    }
    hooks.error(error)
  }

  function close(by: 'client' | 'server', reason: string): void {
    hooks.commit()
    send({ type: 'close', by, reason })
  }

  return {
    get state() {
      return state
    },
    get cursor() {
      return cursor
    },
    open() {
      attempts = state.status === 'idle' || state.by !== undefined || state.status === 'failed' ? 0 : attempts
      send({ type: 'open', attempt: 1 })
    },
    release: () => send({ type: 'release' }),
    reconnect: () => send({ type: 'reconnect', attempt: 1 }),
    close,
  }
}

const ask = <T>(value: PerAttempt<T>): T | Promise<T> =>
  typeof value === 'function' ? (value as () => T | Promise<T>)() : value
