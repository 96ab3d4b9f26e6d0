import type { AnyEvents, Change, ConnectionState, Latest, TypedEventSource } from '@sse/client'
import { onFrame } from './frame.ts'

/** What a component sees of a source: the state of the connection, discriminated by `status`, and the newest payloads. */
export type EventSourceView<E = AnyEvents> = ConnectionState & {
  /** The newest payload by event name, and by key for keyed state. */
  readonly latest: Latest<E>
  /** The source itself; `null` while disabled. */
  readonly source: TypedEventSource<E> | null
  /** Connects anew at once instead of at the time planned. */
  readonly reconnect: () => void
}

/** A source as one component observes it. */
export interface Observation<E> {
  subscribe(listener: () => void): () => void
  /** The same view until something changes that was read. */
  getSnapshot(): EventSourceView<E>
  /** Before there is a page: idle, and nothing heard. */
  getServerSnapshot(): EventSourceView<E>
}

const idle: ConnectionState = {
  status: 'idle',
  previous: undefined,
  attempt: undefined,
  since: undefined,
  continuity: undefined,
  stale: undefined,
  retryAt: undefined,
  error: undefined,
  cause: undefined,
  by: undefined,
  reason: undefined,
}

/**
 * Observes a source by groups: once the state or `latest` was read, a change of it makes a new view. What was read adds up,
 * so that a branch not taken this time is not forgotten. What was read of a view never changes, so that it is safe in
 * closures and under React Compiler.
 */
export function observe<E>(source: TypedEventSource<E> | null): Observation<E> {
  const nothing: Latest<E> = {}
  const read = new Set<Change>()
  const reconnect = (): void => source?.reconnect()
  let { state, latest } = now()
  let current = view()
  let server: EventSourceView<E> | undefined

  function now(): { state: ConnectionState; latest: Latest<E> } {
    const state = source?.getState() ?? idle
    return { state: state.status === 'idle' ? idle : state, latest: source?.getLatest() ?? nothing }
  }

  function view(): EventSourceView<E> {
    const own: EventSourceView<E> = new Proxy<EventSourceView<E>>(
      { ...state, latest, source, reconnect },
      {
        get(target, key, receiver) {
          const group = key === 'latest' ? 'latest' : 'state'
          if (key !== 'source' && key !== 'reconnect' && !read.has(group)) {
            read.add(group)
            // Nobody looked at this group, so it was not kept up: its first reader gets it as it is now.
            if (own === current && own !== server) Object.assign(target, catchUp(group))
          }
          return Reflect.get(target, key, receiver)
        },
      },
    )
    return own
  }

  function catchUp(group: Change): ConnectionState | { latest: Latest<E> } {
    const newest = now()
    if (group === 'latest') {
      latest = newest.latest
      return { latest }
    }
    state = newest.state
    return state
  }

  return {
    subscribe(listener) {
      let cancel = (): void => {}
      const off = source?.subscribe((change) => {
        if (!read.has(change)) return
        // The state changes seldom and is told at once; payloads may come by the thousand.
        if (change === 'state') listener()
        else cancel = onFrame(listener)
      })
      return () => {
        off?.()
        cancel()
      }
    },
    getSnapshot() {
      const newest = now()
      if ((read.has('state') && newest.state !== state) || (read.has('latest') && newest.latest !== latest)) {
        ;({ state, latest } = newest)
        current = view()
      }
      return current
    },
    getServerSnapshot() {
      if (server === undefined) {
        const blank = state === idle && Object.keys(latest).length === 0
        server = blank ? current : observe<E>(null).getSnapshot()
      }
      return server
    },
  }
}
