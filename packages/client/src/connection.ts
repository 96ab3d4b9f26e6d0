import type { DecodedEvent } from '@sse/protocol'
import { type Attempt, beginAttempt } from './attempt.ts'
import { backoff, clampRetry, DEFAULT_RETRY, MIN_INTERVAL } from './backoff.ts'
import { systemClock } from './clock.ts'
import { ConnectionError } from './errors.ts'
import { fetchTransport } from './fetch-transport.ts'
import { type LifecycleSignal, pageLifecycle } from './lifecycle.ts'
import { type ConnectionEvent, initialState, transition, transitions } from './machine.ts'
import type { ConnectionOptions, PerAttempt } from './options.ts'
import { call } from './report.ts'
import { createRequest } from './request.ts'
import type { Resync } from './source.ts'
import type { ConnectionState, PauseCause } from './state.ts'
import { createStream, type Stream } from './stream.ts'
import type { TransportHandlers, TransportRequest } from './transport.ts'
import { isRetriable } from './verdict.ts'

/** A stream that lived this long was stable: its loss begins a new row of attempts. In milliseconds. */
const STABLE = 10_000

/** What a connection tells its source. */
export interface ConnectionHooks {
  state(state: ConnectionState): void
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
  /** Lets go without closing: it may be opened again, and resumes. */
  release(): void
  reconnect(): void
  close(by: 'client' | 'server', reason: string): void
}

/**
 * Runs the machine over a transport: one attempt at a time, and one timer.
 *
 * @param names - the names of the events, where a contract has them
 */
export function createConnection(
  url: PerAttempt<string | URL>,
  options: ConnectionOptions,
  names: readonly string[] | undefined,
  hooks: ConnectionHooks,
): Connection {
  const { transport = fetchTransport, signal, connectTimeout = 30_000 } = options
  const { clock = systemClock, lifecycle = pageLifecycle } = transport
  const request = createRequest(url, options, names)
  let state = initialState
  let cursor = options.cursor ?? ''
  /** Whether anything was heard, that could have gone on in the meantime. */
  let begun = cursor !== ''
  let retry = DEFAULT_RETRY
  /** Which attempt in a row this one is, or the next: those before came to nothing, or to a stream that did not last. */
  let turn = 1
  /** When the next attempt may begin at the earliest. */
  let notBefore = 0
  /** Whether the headers were asked for anew after a 401. */
  let refreshed = false
  let frozen = false
  /** The current attempt, and the stream that came of it; those before it are superseded. */
  let attempt: Attempt | undefined
  let stream: Stream | undefined
  let cancelTimer: (() => void) | undefined
  let detach: (() => void) | undefined

  function send(event: ConnectionEvent): void {
    const next = transition(state, event)
    if (next === state) return
    state = next
    const { status } = next
    if (status !== 'open') stop()
    if (isResting()) {
      detach?.()
      detach = undefined
    } else detach ??= attach()
    hooks.state(next)
    if (state !== next) return // a listener went on from there
    if (status === 'connecting') start()
    else if (status === 'retrying') {
      after(next.retryAt - clock.now(), () => send({ type: 'due', attempt: next.attempt }))
    }
  }

  /** Whether there is nothing to keep up, until it is opened. */
  const isResting = (): boolean => transitions[state.status].open !== undefined

  /** The one place that ends an attempt and its timer. */
  function stop(): void {
    cancelTimer?.()
    begun = stream?.begun ?? begun
    stream = undefined
    attempt?.abort()
    attempt = undefined
  }

  /** Sets the one timer in place of what it was set to. */
  function after(milliseconds: number, callback: () => void): void {
    cancelTimer?.()
    cancelTimer = clock.after(milliseconds, callback)
  }

  /** Listens to the page and the app, as long as there is a connection to keep up. */
  function attach(): () => void {
    const aborted = (): void => close('client', 'aborted')
    signal?.addEventListener('abort', aborted)
    const deaf = lifecycle.listen(hear)
    return () => {
      signal?.removeEventListener('abort', aborted)
      deaf()
    }
  }

  function start(): void {
    notBefore = clock.now() + MIN_INTERVAL
    after(connectTimeout, () =>
      lost(
        new ConnectionError(
          'timeout',
          `No answer within ${connectTimeout} ms (over HTTP/1.1, all tabs share six connections).`,
        ),
      ),
    )
    attempt = beginAttempt(() => request.prepare(cursor), connect, handlers)
  }

  function connect(wanted: TransportRequest, handlers: TransportHandlers): () => void {
    request.sent()
    return transport.connect(wanted, handlers)
  }

  /** What an attempt tells as long as it is the current one. */
  const handlers: TransportHandlers = {
    open(at) {
      request.answered(at)
      stream = createStream(
        {
          clock,
          heartbeat: options.heartbeat ?? 0,
          begun: begun || cursor !== '',
          attempt,
          after,
        },
        streamHooks,
      )
      stream.accept()
    },
    event(event) {
      cursor = event.id
      stream?.event(event)
    },
    flush(lastEventId) {
      cursor = lastEventId
      stream?.heard()
      send({ type: 'sound' })
      hooks.commit()
    },
    retry(milliseconds) {
      retry = clampRetry(milliseconds)
    },
    end: lost,
  }

  const streamHooks = {
    ...hooks,
    opened(continuity: 'fresh' | 'resumed' | 'gap'): void {
      if (state.status === 'connecting') {
        refreshed = false
        cancelTimer?.()
        send({ type: 'opened', since: clock.now(), continuity })
      } else send({ type: 'assess', continuity })
    },
    close: (reason: string): void => close('server', reason),
    stale: (): void => send({ type: 'silence' }),
    lost,
  }

  /** Whether the stream that is open proved stable. */
  const lasted = (): boolean => state.status === 'open' && clock.now() - state.since >= STABLE

  function lost(error: ConnectionError): void {
    hooks.commit()
    if (error.status === 204) {
      close('server', 'no content')
      return
    }
    const before = state
    const verdict = options.when && call(options.when, error, turn)
    if (state !== before) return // the app went on from there
    if (
      error.status === 401 &&
      state.status === 'connecting' &&
      request.renewable &&
      request.repeatable &&
      !refreshed &&
      verdict !== false
    ) {
      refreshed = true
      send({ type: 'refresh', attempt: turn })
      return
    }
    turn = lasted() ? 1 : turn + 1
    if (!(verdict ?? isRetriable(error)) || !request.repeatable || turn > (options.maxAttempts ?? Infinity)) {
      send({ type: 'fail', error })
    } else {
      const now = clock.now()
      const floor = now + (error.retryAfter ?? 0)
      notBefore = Math.max(notBefore, floor)
      const retryAt = Math.max(notBefore, floor + backoff({ attempt: turn, retry, random: clock.random() }))
      send({ type: 'retry', attempt: turn, retryAt, error })
    }
    hooks.error(error)
  }

  function blocked(): PauseCause | undefined {
    if (frozen) return 'frozen'
    if (!lifecycle.online()) return 'offline'
    return options.pauseWhenHidden && !lifecycle.visible() ? 'hidden' : undefined
  }

  function hear(signal: LifecycleSignal): void {
    if (signal === 'frozen' || signal === 'thawed') frozen = signal === 'frozen'
    const cause = blocked()
    if (cause !== undefined) {
      if (lasted()) turn = 1
      // What cannot be resumed is left to its fate.
      if (request.repeatable) send({ type: 'pause', cause })
    } else if (state.status === 'paused') resume()
    else if (signal === 'offline' || signal === 'hidden') return
    else if (state.status === 'open') stream?.wake()
    else if (state.status === 'retrying') {
      const { attempt, error } = state
      const retryAt = Math.max(notBefore, clock.now())
      if (retryAt < state.retryAt) send({ type: 'retry', attempt, retryAt, error })
    }
  }

  function resume(): void {
    if (blocked() !== undefined) return
    const wait = notBefore - clock.now()
    if (wait > 0) after(wait, resume)
    else send({ type: 'resume', attempt: turn })
  }

  function open(): void {
    const { status, by } = state
    if (!isResting()) return
    if (signal?.aborted) {
      close('client', 'aborted')
      return
    }
    // From idle it goes on with the row it was let go in: mounting anew is no new budget.
    if (status !== 'idle') {
      turn = 1
      request.reset()
    }
    if (by === 'server') {
      // Nothing follows where the server closed.
      cursor = ''
      begun = false
    }
    refreshed = false
    frozen = false
    const cause = blocked()
    send(cause === undefined ? { type: 'open', attempt: turn } : { type: 'pause', cause })
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
    open,
    release: () => send({ type: 'release' }),
    reconnect() {
      if (transitions[state.status].reconnect === undefined) open()
      else if (request.repeatable) {
        turn = 1
        send({ type: 'reconnect', attempt: turn })
      }
    },
    close,
  }
}
