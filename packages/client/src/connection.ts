import { type DecodedEvent, decodeControl, isControl } from '@sse/protocol'
import { backoff, clampRetry, DEFAULT_RETRY, MIN_INTERVAL } from './backoff.ts'
import { systemClock } from './clock.ts'
import { ConnectionError } from './errors.ts'
import { fetchTransport } from './fetch-transport.ts'
import { freezes, type LifecycleSignal, pageLifecycle } from './lifecycle.ts'
import { type ConnectionEvent, initialState, transition, transitions } from './machine.ts'
import type { ConnectionOptions, PerAttempt } from './options.ts'
import { call } from './report.ts'
import type { Resync } from './source.ts'
import type { ConnectionState, Continuity, PauseCause } from './state.ts'

/** A stream that lived this long was stable: its loss begins a new row of attempts. In milliseconds. */
const STABLE = 10_000
/** How long a server may take after its headers to say whether it resumes, in milliseconds. */
const JUDGEMENT = 1_000

/** How many heartbeats may be missed until the stream is stale, and until it is lost. */
const STALE = 1.5
const LOST = 2.5
/** After a sleep, what came meanwhile may not have been read yet, in milliseconds. */
const GRACE = 2_000

const UNKNOWN: Resync = { reason: 'unknown', channels: [] }

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
  /** Which attempt in a row this one is, or the next: those before came to nothing, or to a stream that did not last. */
  let attempt = 1
  /** When the next attempt may begin at the earliest, and how long that was away when it was said. */
  let notBefore = 0
  let holdOff = 0
  /** Whether the headers were asked for anew after a 401. */
  let refreshed = false
  /** How often the server says something, in milliseconds, and when it did last. */
  let beat = 0
  let heardAt = 0
  let frozen = false
  /** Whether a request was sent that must not be sent again. */
  let spent = false
  /** Ends the current attempt; those before it are superseded. */
  let abort = (): void => {}
  let cancelTimer: (() => void) | undefined
  /** Listens to the page and the app, as long as there is a connection to keep up. */
  let kept: AbortController | undefined

  function send(event: ConnectionEvent): void {
    // What a listener goes on from, it has heard.
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
    if (state !== next) return // a listener went on from there
    if (status === 'connecting') start()
    if (status === 'retrying') after(next.retryAt - clock.now(), () => proceed(0))
  }

  /** Whether there is nothing to keep up, until it is opened. */
  const isResting = (): boolean => !!transitions[state.status].open

  /** Sets the one timer in place of what it was set to. */
  function after(milliseconds: number, callback: () => void): void {
    cancelTimer?.()
    cancelTimer = clock.after(milliseconds, callback)
  }

  /**
   * Judges the silence of the stream by the wall clock.
   *
   * @param due - when this look was planned: one that comes too late has slept, and so have we
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

  /** Makes an attempt: asks for the request, has it carried out, and judges the stream by what was heard before. */
  async function start(): Promise<void> {
    const had = begun
    let alive = true
    let stop: (() => void) | undefined
    let replaying = false
    /** It did not resume, and has not said yet what is missing. */
    let owed = false

    function whileAlive<A extends unknown[]>(handler: (...args: A) => void) {
      return (...args: A): void => {
        if (alive) handler(...args)
      }
    }
    const end = whileAlive(lost)

    function open(continuity: Continuity, interval: number): void {
      assess(continuity)
      beat = interval
      if (alive) look()
    }

    /** A server that isn't ours does not say whether something is missing. */
    function openUnsure(interval = heartbeat): void {
      open('gap', interval)
      if (alive) hooks.resync(UNKNOWN)
    }

    function settle(): void {
      if (alive && owed) hooks.resync(UNKNOWN)
      owed = false
    }

    function obey({ event, data }: DecodedEvent): void {
      const control = decodeControl(event, data)
      switch (control?.event) {
        case 'sse.open': {
          const { resumed, heartbeat } = control.data
          replaying = true
          owed = had && !resumed
          open(resumed ? 'resumed' : had ? 'gap' : 'fresh', heartbeat)
          // Without a cursor to judge by, a server will not say so.
          if (!cursor) settle()
          break
        }
        case 'sse.gap':
          owed = false
          assess('gap')
          hooks.resync(control.data)
          break
        case 'sse.live':
          settle()
          replaying = false
          break
        case 'sse.remove':
          hooks.remove(control.data.event, control.data.key)
          break
        case 'sse.close':
          close('server', control.data.reason)
      }
    }

    function receive(event: DecodedEvent): void {
      if (isControl(event.event)) {
        cursor = event.id
        try {
          obey(event)
        } catch (cause) {
          hooks.error(new ConnectionError('contract', `${cause}`, { cause }))
        }
        return
      }
      if (state.status !== 'open') openUnsure()
      if (!alive) return // a listener went on from there, and the event comes again
      cursor = event.id
      hooks.event(event, replaying)
    }

    abort = () => {
      const ends = alive && stop
      alive = false // first: a transport may tell something when it is stopped
      if (ends) ends()
    }
    holdBack(MIN_INTERVAL)
    after(connectTimeout, () =>
      end(new ConnectionError('timeout', 'No answer. A site has six HTTP/1.1 connections for all its tabs.')),
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
            // The answer can be had again, by a request that may be repeated.
            target = location
            method = 'GET'
            body = undefined
            spent = false
          }
          heardAt = clock.now()
          // Continuity is judged before the stream is said to be open, so that nobody sees it change.
          // Where nothing is said, it may be half open: what was announced before still holds.
          if (had) after(JUDGEMENT, () => openUnsure(heartbeat || beat))
          else open('fresh', heartbeat)
        }),
        event: whileAlive(receive),
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
      // It may have come to its end at once.
      if (!alive) stop()
    } catch (cause) {
      end(new ConnectionError('network', `${cause}`, { cause }))
    }
  }

  /** The stream is open, or its continuity is another than was said. */
  function assess(continuity: Continuity): void {
    if (state.status === 'connecting') {
      begun = true
      refreshed = false
      cancelTimer?.()
      send({ type: 'opened', since: clock.now(), continuity, stale: false })
    } else send({ type: 'assess', continuity, stale: false })
  }

  /** Whether the stream that is open proved stable. */
  const lasted = (): boolean => state.status === 'open' && Math.abs(clock.now() - state.since) >= STABLE

  function lost(error: ConnectionError): void {
    const { kind, status = 0, retryAfter = 0 } = error
    const before = state
    hooks.commit()
    if (status === 204 && state === before) close('server', '204')
    const verdict = state === before && when && call(when, error, attempt)
    if (state !== before) return // it was closed, or the app went on from there
    const renewable = typeof target === 'function' || typeof headers === 'function'
    if (status === 401 && renewable && !refreshed && verdict !== false && !spent) {
      refreshed = true
      send({ type: 'refresh', attempt })
      return
    }
    const retriable = verdict ?? /^(network|timeout|stale|http(408|42[59]|5))/.test(kind + status)
    attempt = lasted() ? 1 : attempt + 1
    if (retriable && !spent && attempt <= maxAttempts) {
      if (retryAfter > remaining()) holdBack(retryAfter)
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
    // One who heard of it before may have closed this one.
    if (isResting()) return
    frozen = freezes[signal] ?? frozen
    const cause = blocked()
    if (cause) {
      // What cannot be resumed is left to its fate.
      if (spent) return
      if (lasted()) attempt = 1
      send({ type: 'pause', cause })
    } else if (state.status === 'open') look()
    else if (transitions[state.status].due && (signal !== 'visibilitychange' || lifecycle.visible()))
      proceed()
  }

  /** No attempt begins for so long, in milliseconds. */
  function holdBack(milliseconds: number): void {
    holdOff = milliseconds
    notBefore = clock.now() + milliseconds
  }

  /** How much is left of that: never more than was said, as the clock may have been set back. */
  function remaining(): number {
    notBefore = Math.min(notBefore, clock.now() + holdOff)
    return notBefore - clock.now()
  }

  /** Makes the attempt that is waited for, as soon as it may be. */
  function proceed(wait = remaining()): void {
    if (wait > 0) after(wait, () => proceed(0))
    else {
      const cause = blocked()
      send(cause ? { type: 'pause', cause } : { type: 'due', attempt })
    }
  }

  function open(): void {
    if (!isResting()) return
    if (signal?.aborted) {
      close('client', 'aborted')
      return
    }
    const { status, by } = state
    // From idle it goes on with the row it was let go in: mounting anew is no new budget.
    if (status !== 'idle') {
      attempt = 1
      spent = false
      target = url
      ;({ method = 'GET', body } = options)
    }
    // Nothing follows where the server closed; what was said since, by whoever goes on, is missing.
    if (by === 'server') cursor = ''
    refreshed = frozen = false
    const cause = blocked()
    send(cause ? { type: 'pause', cause } : { type: 'open', attempt })
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
      // The next listener begins no request again that must not be sent again.
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
