import { type AnyEvents, ContractError, decodePayload, type Latest } from '@sse/contract'
import type { DecodedEvent } from '@sse/protocol'
import { createConnection } from './connection.ts'
import { ConnectionError } from './errors.ts'
import type { EventSourceOptions, PerAttempt } from './options.ts'
import type { Change, EventMeta, Resync, SourceEvent, TypedEventSource } from './source.ts'

type Listener = (first: unknown, meta: EventMeta) => void

/**
 * An event stream that is kept up: it opens with its first listener, and resumes where it broke off.
 *
 * @param url - absolute outside of a page; a function is asked before each attempt
 *
 * @example
 * const live = createEventSource('/events', { events })
 * const off = live.on('notification', (notification) => toast(notification.title))
 */
export function createEventSource<E = AnyEvents>(
  url: PerAttempt<string | URL>,
  options: EventSourceOptions<E> = {},
): TypedEventSource<E> {
  const contract = options.events
  const listeners = new Map<string, Set<Listener>>()
  const resyncListeners = new Set<(resync: Resync) => void>()
  const errorListeners = new Set<(error: ConnectionError) => void>()
  const subscribers = new Set<(change: Change) => void>()
  let latest: Readonly<Record<string, unknown>> = {}
  let draft: Record<string, unknown> | undefined

  const connection = createConnection(url, options as EventSourceOptions, {
    state: () => notify('state'),
    event: receive,
    remove(event, key) {
      const before = (draft ?? latest)[event]
      if (before === undefined) return
      draft ??= { ...latest }
      const definition = contract?.definitions[event]
      if (definition?.kind === 'state' && definition.keyed && typeof before === 'object') {
        draft[event] = Object.fromEntries(Object.entries(before ?? {}).filter(([k]) => k !== key))
      } else delete draft[event]
    },
    commit() {
      if (draft === undefined) return
      latest = draft
      draft = undefined
      notify('latest')
    },
    resync: (resync) => each(resyncListeners, (listener) => listener(resync)),
    error: fail,
  })

  function fail(error: ConnectionError): void {
    each(errorListeners, (listener) => listener(error))
  }

  function receive({ event, data, id }: DecodedEvent, replayed: boolean): void {
    if (contract !== undefined && contract.definitions[event] === undefined) return
    try {
      const { payload, key, keyed } = decodePayload(contract, event, data)
      draft ??= { ...latest }
      draft[event] = keyed ? { ...(draft[event] ?? {}), [key ?? '']: payload } : payload
      const meta: EventMeta = { event, id, replayed }
      each(listeners.get(event), (listener) => listener(payload, meta))
      each(listeners.get('*'), (listener) => listener({ event, data: payload, meta }, meta))
    } catch (cause) {
      if (!(cause instanceof ContractError)) throw cause
      fail(new ConnectionError('contract', cause.message, { cause }))
    }
  }

  function notify(change: Change): void {
    each(subscribers, (subscriber) => subscriber(change))
  }

  function on(event: string, listener: Listener): () => void {
    const set = listeners.get(event) ?? new Set()
    listeners.set(event, set)
    const own: Listener = (first, meta) => listener(first, meta)
    set.add(own)
    if (connection.state.status === 'idle') connection.open()
    return () => {
      set.delete(own)
    }
  }

  return {
    get cursor() {
      return connection.cursor
    },
    on: on as TypedEventSource<E>['on'],
    onResync(listener) {
      return add(resyncListeners, (resync) => listener(resync))
    },
    onError(listener) {
      return add(errorListeners, (error) => listener(error))
    },
    subscribe(listener) {
      const off = add(subscribers, (change: Change) => listener(change))
      if (connection.state.status === 'idle') connection.open()
      return off
    },
    getState: () => connection.state,
    getLatest: () => latest as Latest<E>,
    [Symbol.asyncIterator](): AsyncIterableIterator<SourceEvent<E>> {
      throw new Error('not yet')
    },
    open: () => connection.open(),
    close: (reason = 'closed') => connection.close('client', reason),
    reconnect: () => connection.reconnect(),
  }
}

function add<T>(set: Set<T>, listener: T): () => void {
  set.add(listener)
  return () => {
    set.delete(listener)
  }
}

/** A listener that throws stops neither the others nor the stream; its error is reported as an event handler's is. */
function each<T>(set: ReadonlySet<T> | undefined, call: (listener: T) => void): void {
  for (const listener of [...(set ?? [])]) {
    try {
      call(listener)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
