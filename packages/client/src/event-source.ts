import { type AnyEvents, decodePayload, type Latest } from '@sse/contract'
import type { DecodedEvent } from '@sse/protocol'
import { systemClock } from './clock.ts'
import { createConnection } from './connection.ts'
import { ConnectionError } from './errors.ts'
import { iterateEvents } from './event-iterator.ts'
import { createInterest } from './interest.ts'
import { assertOptions, type EventSourceOptions, type PerAttempt } from './options.ts'
import { call } from './report.ts'
import { createSnapshot } from './snapshot.ts'
import type { Change, EventMeta, ListenerOptions, Resync, TypedEventSource } from './source.ts'

type Listener = (first: unknown, meta: EventMeta) => void

/**
 * An event stream that is kept up: it opens with its first listener, resumes where it broke off, and closes a moment after
 * its last listener left.
 *
 * @param url - absolute outside of a page; a function is asked before each attempt
 * @throws TypeError for options that cannot be meant
 *
 * @example
 * const live = createEventSource('/events', { events })
 * const off = live.on('notification', (notification) => toast(notification.title))
 */
export function createEventSource<E = AnyEvents>(
  url: PerAttempt<string | URL>,
  options: EventSourceOptions<E> = {},
): TypedEventSource<E> {
  assertOptions(url, options)
  const { events: contract, linger = 1_000, transport } = options
  const latest = createSnapshot(options.initial)
  const initialLatest = latest.current as Latest<E>
  const listeners = new Map<string, Set<Listener>>()
  const resyncListeners = new Set<(resync: Resync) => void>()
  const errorListeners = new Set<(error: ConnectionError) => void>()
  const subscribers = new Set<(change: Change) => void>()
  /** What `open()` holds until `close()`. */
  let unpin: (() => void) | undefined

  const interest = createInterest(transport?.clock ?? systemClock, linger, {
    some() {
      if (connection.state.status === 'idle') connection.open()
    },
    kept: () => connection.state.status !== 'idle' && connection.state.status !== 'closed',
    none: () => connection.release(),
  })

  const connection = createConnection(url, options, contract && Object.keys(contract.definitions), {
    state({ status }) {
      if (status === 'closed') interest.cancel()
      tell(subscribers, 'state')
    },
    event: receive,
    remove(event, key) {
      const definition = contract?.definitions[event]
      latest.remove(event, definition?.kind === 'state' && definition.keyed ? key : undefined)
    },
    commit() {
      if (latest.commit()) tell(subscribers, 'latest')
    },
    resync: (resync) => tell(resyncListeners, resync),
    error: fail,
  })

  function fail(error: ConnectionError): void {
    tell(errorListeners, error)
    // The state tells of every other error.
    if (error.kind === 'contract' && errorListeners.size === 0) globalThis.reportError?.(error)
  }

  function receive({ event, data, id }: DecodedEvent, replayed: boolean): void {
    // A server that is newer than the page may know more events.
    if (contract !== undefined && contract.definitions[event] === undefined) return
    const meta: EventMeta = { event, id, replayed }
    let payload: unknown
    try {
      const decoded = decodePayload(contract, event, data)
      payload = decoded.payload
      latest.set(event, decoded.keyed ? decoded.key : undefined, payload)
    } catch (cause) {
      fail(new ConnectionError('contract', String(cause), { cause }))
      return
    }
    tell(listeners.get(event), payload, meta)
    tell(listeners.get('*'), { event, data: payload, meta }, meta)
  }

  function listen<A extends unknown[]>(
    set: Set<(...args: A) => void>,
    listener: (...args: A) => void,
    { passive = false }: ListenerOptions = {},
  ): () => void {
    const remove = add(set, listener)
    const release = passive ? undefined : interest.hold()
    return () => {
      remove()
      release?.()
    }
  }

  function on(event: string, listener: Listener, options?: ListenerOptions): () => void {
    const set = listeners.get(event) ?? new Set()
    listeners.set(event, set)
    return listen(set, listener, options)
  }

  const source: TypedEventSource<E> = {
    get cursor() {
      return connection.cursor
    },
    on: on as TypedEventSource<E>['on'],
    onResync: (listener) => add(resyncListeners, listener),
    onError: (listener) => add(errorListeners, listener),
    subscribe: (listener, options) => listen(subscribers, listener, options),
    getState: () => connection.state,
    getLatest: () => latest.current as Latest<E>,
    getInitialLatest: () => initialLatest,
    [Symbol.asyncIterator]: () => iterateEvents(source),
    open() {
      unpin ??= interest.hold()
      connection.open()
    },
    close(reason = 'closed') {
      unpin?.()
      unpin = undefined
      connection.close('client', reason)
      interest.cancel()
    },
    reconnect: () => connection.reconnect(),
  }
  return source
}

/** Adds a listener under an identity of its own, so that one function may listen twice. */
function add<A extends unknown[]>(
  set: Set<(...args: A) => void>,
  listener: (...args: A) => void,
): () => void {
  const own = (...args: A): void => listener(...args)
  set.add(own)
  return () => {
    set.delete(own)
  }
}

/** Calls those who listened when it happened and still do. */
function tell<A extends unknown[]>(
  set: ReadonlySet<(...args: A) => void> | undefined,
  ...args: NoInfer<A>
): void {
  for (const listener of [...(set ?? [])]) {
    if (set?.has(listener)) call(listener, ...args)
  }
}
