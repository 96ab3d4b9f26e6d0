import {
  type Change,
  type ConnectionState,
  createEventSource,
  type Latest,
  type TypedEventSource,
} from '@sse/client'
import { flushFrame, offFrame, onFrame } from './frame.ts'

/** What a hook returns of a source: the state of the connection, discriminated by `status`, and the newest payloads. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export type EventSourceView<E = any> = ConnectionState & {
  /** The newest payload by event name, and by key for keyed state. */
  readonly latest: Latest<E>
  /** The source itself; `null` while disabled. */
  readonly source: TypedEventSource<E> | null
  /** Connects at once, instead of at the planned time, or in place of the open connection. */
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

/** The state of every source that was not opened yet; they all share this object. */
const idle: ConnectionState = /* @__PURE__ */ createEventSource('').getState()

/**
 * Observes a source by groups: once the state or `latest` was read, a change of it makes a new view. What was read adds up,
 * so that a branch not taken this time is not forgotten. What was read of a view never changes, so that it is safe in
 * closures and under React Compiler; what nobody read yet is kept up in place.
 */
export function observe<E>(source: TypedEventSource<E> | null): Observation<E> {
  const read = new Set<Change>()
  const tracking: ProxyHandler<EventSourceView<E>> = {
    get(values, key) {
      if (key === 'latest') read.add('latest')
      else if (key in idle) read.add('state')
      return Reflect.get(values, key)
    },
  }
  const reconnect = (): void => source?.reconnect()
  let seen = { state: idle, latest: source?.getInitialLatest() ?? {} }
  let values = valuesOf(seen)
  let view = new Proxy(values, tracking)
  const first = view

  function valuesOf({ state, latest }: typeof seen): EventSourceView<E> {
    return { ...state, latest, source, reconnect }
  }

  function getSnapshot(): EventSourceView<E> {
    const before = seen
    if (source !== null) seen = { state: source.getState(), latest: source.getLatest() }
    if ([...read].some((group) => seen[group] !== before[group])) {
      values = valuesOf(seen)
      view = new Proxy(values, tracking)
    } else Object.assign(values, valuesOf(seen))
    return view
  }

  return {
    subscribe(listener) {
      const off = source?.subscribe((change) => {
        if (!read.has(change)) {
          // Keeps the view up to date for whoever reads this group for the first time later on.
          getSnapshot()
          return
        }
        onFrame(listener)
        // State changes are rare and rendered at once, with all payloads that wait, so that no component is ahead of another.
        if (change === 'state') flushFrame()
      })
      return () => {
        off?.()
        offFrame(listener)
      }
    },
    getSnapshot,
    // If the source has not changed yet, this is also the current view, and hydration does not render again.
    getServerSnapshot: () => first,
  }
}
