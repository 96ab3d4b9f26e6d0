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
  const initial: Latest<E> = source?.getInitialLatest() ?? {}
  const read = new Set<Change>()
  const reconnect = (): void => source?.reconnect()
  let seen = now()
  let current = view(seen)
  let server: EventSourceView<E> | undefined

  function now(): Seen<E> {
    const state = source?.getState() ?? idle
    const untouched = state.status === 'idle' && state.previous === undefined
    return { state: untouched ? idle : state, latest: source?.getLatest() ?? initial }
  }

  function view({ state, latest }: Seen<E>): EventSourceView<E> {
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
    const { state, latest } = now()
    seen = group === 'latest' ? { ...seen, latest } : { ...seen, state }
    return group === 'latest' ? { latest } : state
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
      const changed = (group: Change): boolean => read.has(group) && newest[group] !== seen[group]
      if (changed('state') || changed('latest')) {
        seen = newest
        current = view(seen)
      }
      return current
    },
    getServerSnapshot() {
      // The same view where it says the same, so that hydration renders nothing anew.
      server ??=
        seen.state === idle && seen.latest === initial ? current : view({ state: idle, latest: initial })
      return server
    },
  }
}

/** By group, what a component sees. */
interface Seen<E> {
  readonly state: ConnectionState
  readonly latest: Latest<E>
}
