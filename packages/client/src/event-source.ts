import type { AnyEvents, Latest } from '@sse/contract'
import type { DecodedEvent } from '@sse/protocol'
import { systemClock } from './clock.ts'
import { createConnection } from './connection.ts'
import { ConnectionError } from './errors.ts'
import type { EventSourceOptions, PerAttempt } from './options.ts'
import { call } from './report.ts'
import { createSnapshot } from './snapshot.ts'
import type { Change, EventMeta, ListenerOptions, Resync, TypedEventSource } from './source.ts'

type Listener = (first: unknown, meta: EventMeta) => void

/**
 * Creates an event stream that stays connected: it opens with its first listener, resumes where it broke off, and closes a
 * moment after its last listener has left.
 *
 * @param url - absolute outside of a page; a function is called before each attempt
 *
 * @example
 * const live = createEventSource('/events', { events })
 * const off = live.on('notification', (notification) => toast(notification.title))
 */
export function createEventSource<E = AnyEvents>(
  url: PerAttempt<string | URL>,
  options: EventSourceOptions<E> = {},
): TypedEventSource<E> {
  const { events: contract, linger = 1_000, transport } = options
  const { clock = systemClock } = transport ?? {}
  const latest = createSnapshot(options.initial)
  const initialLatest = latest.current as Latest<E>
  const listeners = new Set<Listener>()
  const resyncListeners = new Set<(resync: Resync) => void>()
  const errorListeners = new Set<(error: ConnectionError) => void>()
  const subscribers = new Set<(change: Change) => void>()
  /** One for each that holds the stream open; it stays open for the linger time after the last has left. */
  const holders = new Set<object>()
  let cancelLinger: (() => void) | undefined
  /** What `open()` holds until `close()`. */
  let unpin: (() => void) | undefined

  const connection = createConnection(url, options, contract && Object.keys(contract.definitions), {
    state({ status }) {
      if (status === 'closed') cancelLinger?.()
      tell(subscribers, 'state')
    },
    event: receive,
    remove: latest.remove,
    commit() {
      if (latest.commit()) tell(subscribers, 'latest')
    },
    resync: (resync) => tell(resyncListeners, resync),
    error: fail,
  })

  function fail(error: ConnectionError): void {
    tell(errorListeners, error)
    // Every other error shows in the state.
    if (error.kind === 'contract' && errorListeners.size === 0) globalThis.reportError?.(error)
  }

  function receive({ event, data, id }: DecodedEvent, replayed: boolean): void {
    // A server that is newer than the page may send events that the contract does not have yet.
    if (contract && !contract.definitions[event]) return
    const meta: EventMeta = { event, id, replayed }
    let payload: unknown
    try {
      const decoded = contract?.decode(event, data)
      payload = decoded ? decoded.payload : JSON.parse(data)
      latest.set(event, decoded?.key, payload)
    } catch (cause) {
      fail(new ConnectionError('contract', `${event}: ${cause}`, { cause }))
      return
    }
    tell(listeners, payload, meta)
  }

  /** Holds the stream open. @returns a function that lets go of it */
  function hold(): () => void {
    const holder = {}
    holders.add(holder)
    cancelLinger?.()
    if (connection.state.status === 'idle') connection.open()
    return () => {
      if (holders.delete(holder) && holders.size === 0 && !/idle|closed/.test(connection.state.status)) {
        cancelLinger = clock.after(linger, connection.release)
      }
    }
  }

  function listen<A extends unknown[]>(
    set: Set<(...args: A) => void>,
    listener: (...args: A) => void,
    options?: ListenerOptions,
  ): () => void {
    // Wrapped, so that one function may listen twice.
    const own = (...args: A): void => listener(...args)
    set.add(own)
    const release = options?.passive ? undefined : hold()
    return () => {
      set.delete(own)
      release?.()
    }
  }

  function on(event: string, listener: Listener, options?: ListenerOptions): () => void {
    return listen<[unknown, EventMeta]>(
      listeners,
      (data, meta) => {
        if (event === '*') listener({ event: meta.event, data, meta }, meta)
        else if (event === meta.event) listener(data, meta)
      },
      options,
    )
  }

  return {
    get cursor() {
      return connection.cursor
    },
    on: on as TypedEventSource<E>['on'],
    onResync: (listener) => listen(resyncListeners, listener, { passive: true }),
    onError: (listener) => listen(errorListeners, listener, { passive: true }),
    subscribe: (listener, options) => listen(subscribers, listener, options),
    getState: () => connection.state,
    getLatest: () => latest.current as Latest<E>,
    getInitialLatest: () => initialLatest,
    open() {
      // A listener may close it during `hold`: then it stays closed.
      const { status } = connection.state
      unpin ??= hold()
      if (status !== 'idle') connection.open()
    },
    close(reason = 'closed') {
      unpin?.()
      unpin = undefined
      connection.close('client', reason)
    },
    reconnect() {
      // Without listeners, it closes again after the linger time.
      const release = hold()
      connection.reconnect()
      release()
    },
  }
}

/** Calls those who listened when it happened and still do. */
function tell<A extends unknown[]>(set: ReadonlySet<(...args: A) => void>, ...args: NoInfer<A>): void {
  for (const listener of [...set]) {
    if (set.has(listener)) call(listener, ...args)
  }
}
