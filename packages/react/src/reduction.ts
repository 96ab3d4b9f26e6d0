import {
  createEventReducer,
  type EventReducer,
  type EventReducerOptions,
  type TypedEventSource,
} from '@sse/client'
import { onFrame } from './frame.ts'

/** A reduction as one component sees it. */
export interface ReductionStore<S> {
  subscribe(listener: () => void): () => void
  getSnapshot(): S
  getServerSnapshot(): S
}

/** By source and by {@link signature}, what its events add up to; it lives as long as the source. */
const reductions = new WeakMap<object, Map<string, EventReducer<never, unknown>>>()

/** The reduction of a source with this signature: begun with the first subscriber, and shared with those who come later. */
export function reductionStore<E, S>(
  source: TypedEventSource<E> | null,
  signature: string,
  options: EventReducerOptions<E, S>,
): ReductionStore<S> {
  const { initial } = options
  const begun = (): EventReducer<E, S> | undefined =>
    source === null
      ? undefined
      : // Both types follow from the code that the signature stands for.
        (reductions.get(source)?.get(signature) as EventReducer<E, S> | undefined)

  function begin(source: TypedEventSource<E>): EventReducer<E, S> {
    const reduction = createEventReducer<S, E>(source, options)
    const ofSource = reductions.get(source) ?? new Map<string, EventReducer<never, unknown>>()
    ofSource.set(signature, reduction as unknown as EventReducer<never, unknown>)
    reductions.set(source, ofSource)
    return reduction
  }

  const getSnapshot = (): S => {
    const reduction = begun()
    return reduction === undefined ? initial : reduction.getState()
  }

  return {
    subscribe(listener) {
      if (source === null) return () => {}
      let cancel = (): void => {}
      const off = (begun() ?? begin(source)).subscribe(() => {
        cancel = onFrame(listener)
      })
      return () => {
        off()
        cancel()
      }
    },
    getSnapshot,
    getServerSnapshot: () => initial,
  }
}

/**
 * What tells reductions of one source apart: their code, and a name for what that takes from outside. By identity, an inline
 * reducer would be another one in each render and each component.
 */
export function signature<E, S>(options: EventReducerOptions<E, S>, name: string | undefined): string {
  const code = Object.entries(options.reduce).map(([event, reduce]) => [event, String(reduce)])
  return JSON.stringify([name, code, String(options.onGap)])
}
