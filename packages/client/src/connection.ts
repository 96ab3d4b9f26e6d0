import { isControl } from '@sse/protocol'
import { backoff, clampRetry, DEFAULT_RETRY, MIN_INTERVAL } from './backoff.ts'
import { systemClock } from './clock.ts'
import { ConnectionError } from './errors.ts'
import { fetchTransport } from './fetch-transport.ts'
import { freezes, type LifecycleSignal, pageLifecycle } from './lifecycle.ts'
import { type ConnectionEvent, initialState, transition, transitions } from './machine.ts'
import type { ConnectionOptions, PerAttempt } from './options.ts'
import { call } from './report.ts'
import type { ConnectionState, Continuity, PauseCause } from './state.ts'
import { createStream, type StreamHooks } from './stream.ts'

/** A stream that lasted this long was stable: after it, attempts are counted from 1 again. In milliseconds. */
const STABLE = 10_000
/** How long a server may take after its headers to say whether it resumes, in milliseconds. */
const JUDGEMENT = 1_000

/** How many heartbeat intervals of silence make the stream stale, and how many make it lost. */
const STALE = 1.5
const LOST = 2.5
/** After the machine slept, how long to wait for data that arrived meanwhile and is still unread, in milliseconds. */
const GRACE = 2_000

/** What a connection tells its source. */
export interface ConnectionHooks extends StreamHooks {
  state(state: ConnectionState): void
  /** What was reported since the last commit arrived together. */
  commit(): void
}

export interface Connection {
  readonly state: ConnectionState
  readonly cursor: string
  open(): void
  /** Disconnects without closing: it may be opened again, and then resumes. */
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
  options: ConnectionOptions & { readonly initial?: unknown },
  names: readonly string[] | undefined,
  hooks: ConnectionHooks,
): Connection {
  const {
    transport = fetchTransport,
    headers,
    credentials,
    fetch,
    signal,
    when,
    connectTimeout = 30_000,
    heartbeat = 0,
    maxAttempts = Infinity,
  } = options
  const { clock = systemClock, lifecycle = pageLifecycle } = transport
  let { method = 'GET', body, cursor = '' } = options
  let target = url
  let state = initialState
  /** Whether a stream was open, or a page rendered, that could have gone on in the meantime. */
  let begun = cursor !== '' || options.initial !== undefined
  let retry = DEFAULT_RETRY
  /** The number of this attempt, or of the next, since the last stable stream. */
  let attempt = 1
  /** When the next attempt may begin at the earliest, and how far away that was when it was set. */
  let notBefore = 0
  let holdOff = 0
  /** Whether the headers were refreshed after a 401. */
  let refreshed = false
  /** How often a quiet server sends something, in milliseconds (0 for never), and when it last did. */
  let beat = 0
  let heardAt = 0
  let frozen = false
  /** Whether a request was sent that must not be sent again. */
  let spent = false
  /** Ends the current attempt; earlier ones have ended. */
  let abort = (): void => {}
  let cancelTimer: (() => void) | undefined
  /** Removes the listeners to the page and to `signal`, which are there while there is a connection to keep up. */
  let kept: AbortController | undefined

  function send(event: ConnectionEvent): void {
    // A listener that reacts to the new state has then received every event before it.
    hooks.commit()
    const next = transition(state, event)
    if (next === state) return
    state = next
    const { status } = next
    if (status !== 'open') {
      cancelTimer?.()
      abort()
    }
    if (isResting()) {
      kept?.abort()
      kept = undefined
    } else if (!kept) {
      kept = new AbortController()
      signal?.addEventListener('abort', () => close('client', 'aborted'), kept)
      lifecycle.listen(hear, kept.signal)
    }
    hooks.state(next)
    if (state !== next) return // a listener has changed it since
    if (status === 'connecting') start()
    if (status === 'retrying') after(next.retryAt - clock.now(), () => begin('due'))
  }

  /** Whether there is no connection to keep up until it is opened. */
  const isResting = (): boolean => !!transitions[state.status].open

  /** Sets the one timer, and cancels what it was set to. */
  function after(milliseconds: number, callback: () => void): void {
    cancelTimer?.()
    cancelTimer = clock.after(milliseconds, callback)
  }

  /**
   * Judges the silence of the stream by the wall clock.
   *
   * @param due - when this check was planned: if it runs much later, the machine has slept
   */
  function look(due = 0): void {
    if (!(beat > 0)) return
    const now = clock.now()
    heardAt = Math.min(heardAt, now) // the clock may have been set back
    const quiet = (now - heardAt) / beat
    if (quiet >= STALE) send({ type: 'assess', stale: true })
    if (state.status !== 'open') return
    if (quiet >= LOST && now - due < GRACE) {
      lost(new ConnectionError('stale', `Silent for ${now - heardAt} ms.`))
      return
    }
    const next = quiet < LOST ? heardAt + (quiet < STALE ? STALE : LOST) * beat : now + GRACE
    after(next - now, () => look(quiet < LOST ? next : Infinity))
  }

  /** Makes an attempt: resolves the request, sends it, and hears what comes until the attempt has ended. */
  async function start(): Promise<void> {
    const had = begun
    let alive = true
    let stop: (() => void) | undefined
    const stream = createStream(had, hooks, assess, close)

    function whileAlive<A extends unknown[]>(handler: (...args: A) => void) {
      return (...args: A): void => {
        if (alive) handler(...args)
      }
    }
    const end = whileAlive(lost)

    abort = () => {
      const ends = alive && stop
      alive = false // first: a transport may call a handler while it is stopped
      if (ends) ends()
    }
    holdBack(MIN_INTERVAL)
    after(connectTimeout, () =>
      end(new ConnectionError('timeout', 'No answer. All tabs of a site share six HTTP/1.1 connections.')),
    )
    try {
      const request = {
        url: `${await ask(target)}`,
        method,
        headers: (await ask(headers)) ?? {},
        body,
        credentials,
        cursor,
        fetch,
        events: names,
      }
      if (!alive) return
      spent = method !== 'GET'
      stop = transport.connect(request, {
        open: whileAlive((location) => {
          if (spent && location) {
            // The response can be resumed there, by a request that may be repeated.
            target = location
            method = 'GET'
            body = undefined
            spent = false
          }
          heardAt = clock.now()
          // The stream is reported as open only once its continuity is known, so that nobody sees that change.
          // If the server stays silent, it may be half open: the heartbeat that was announced before still holds.
          if (had) after(JUDGEMENT, () => stream.presume(heartbeat || beat))
          else assess('fresh', heartbeat)
        }),
        event: whileAlive((event) => {
          if (state.status !== 'open' && !isControl(event.event)) stream.presume(heartbeat)
          if (!alive) return // a listener has ended this attempt; the next one receives the event again
          cursor = event.id
          stream.event(event)
        }),
        flush: whileAlive((lastEventId) => {
          cursor = lastEventId
          heardAt = clock.now()
          send({ type: 'assess', stale: false })
        }),
        retry: whileAlive((milliseconds) => {
          retry = clampRetry(milliseconds)
        }),
        end,
      })
      // The attempt may have ended during the call.
      if (!alive) stop()
    } catch (cause) {
      end(new ConnectionError('network', `${cause}`, { cause }))
    }
  }

  /**
   * The stream is open, or its continuity has changed.
   *
   * @param interval - its heartbeat, in milliseconds; the same as before if it is left out
   * @returns whether it is still open after the listeners have heard of it
   */
  function assess(continuity: Continuity, interval?: number): boolean {
    if (state.status === 'connecting') {
      begun = true
      refreshed = false
      cancelTimer?.()
      send({ type: 'opened', since: clock.now(), continuity, stale: false })
    } else send({ type: 'assess', continuity, stale: false })
    if (interval !== undefined) {
      beat = interval
      look()
    }
    return state.status === 'open'
  }

  /** Whether a stream is open and has proved stable. */
  const lasted = (): boolean => state.status === 'open' && Math.abs(clock.now() - state.since) >= STABLE

  function lost(error: ConnectionError): void {
    const { kind, status = 0, retryAfter = 0 } = error
    const before = state
    hooks.commit()
    if (status === 204 && state === before) close('server', '204')
    const verdict = state === before && when && call(when, error, attempt)
    if (state !== before) return // it was closed, or the app has changed its state
    const renewable = typeof target === 'function' || typeof headers === 'function'
    if (status === 401 && renewable && !refreshed && verdict !== false && !spent) {
      refreshed = true
      send({ type: 'refresh', attempt })
      return
    }
    const retriable = verdict ?? /^(network|timeout|stale|http(408|42[59]|5))/.test(kind + status)
    attempt = lasted() ? 1 : attempt + 1
    if (retriable && !spent && attempt <= maxAttempts) {
      holdBack(Math.max(remaining(), retryAfter))
      const retryAt =
        clock.now() + Math.max(remaining(), retryAfter + backoff(attempt, retry, clock.random()))
      send({ type: 'retry', attempt, retryAt, error })
    } else send({ type: 'fail', error })
    hooks.error(error)
  }

  function blocked(): PauseCause | undefined {
    if (frozen) return 'frozen'
    if (!lifecycle.online()) return 'offline'
    return options.pauseWhenHidden && !lifecycle.visible() ? 'hidden' : undefined
  }

  function hear(signal: LifecycleSignal): void {
    // Another listener to the same signal may have closed it.
    if (isResting()) return
    frozen = freezes[signal] ?? frozen
    const cause = blocked()
    if (cause) {
      // A request that must not be sent again is not interrupted.
      if (spent) return
      if (lasted()) attempt = 1
      send({ type: 'pause', cause })
    } else if (state.status === 'open') look()
    else if (transitions[state.status].due && (signal !== 'visibilitychange' || lifecycle.visible()))
      proceed()
  }

  /** Lets no attempt begin for this long, in milliseconds. */
  function holdBack(milliseconds: number): void {
    holdOff = milliseconds
    notBefore = clock.now() + milliseconds
  }

  /** How much of that is left: never more than was set, since the clock may have been set back. */
  function remaining(): number {
    notBefore = Math.min(notBefore, clock.now() + holdOff)
    return notBefore - clock.now()
  }

  /** Makes the planned attempt, as soon as it may begin. */
  function proceed(): void {
    const wait = remaining()
    if (wait > 0) after(wait, () => begin('due'))
    else begin('due')
  }

  /** Begins an attempt, or waits until nothing stands against it. */
  function begin(type: 'open' | 'due'): void {
    const cause = blocked()
    send(cause ? { type: 'pause', cause } : { type, attempt })
  }

  function open(): void {
    if (!isResting()) return
    if (signal?.aborted) {
      close('client', 'aborted')
      return
    }
    const { status, by } = state
    // After a release, attempts are counted on: mounting again grants no new budget.
    if (status !== 'idle') {
      attempt = 1
      spent = false
      target = url
      ;({ method = 'GET', body } = options)
    }
    // Nothing follows the cursor of a stream that the server closed; what was published since is missing.
    if (by === 'server') cursor = ''
    refreshed = frozen = false
    begin('open')
  }

  function close(by: 'client' | 'server', reason: string): void {
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
    release() {
      if (lasted()) attempt = 1
      // The next listener must not repeat a request that is sent only once.
      if (spent) close('client', 'release')
      else send({ type: 'release' })
    },
    reconnect() {
      if (!transitions[state.status].reconnect) open()
      else if (!spent) {
        attempt = 1
        send({ type: 'reconnect', attempt })
      }
    },
    close,
  }
}

const ask = <T>(value: PerAttempt<T>): T | Promise<T> =>
  typeof value === 'function' ? (value as () => T | Promise<T>)() : value
