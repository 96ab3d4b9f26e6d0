import {
  createEventReducer,
  type EventReducer,
  type EventReducerOptions,
  type TypedEventSource,
} from '@sse/client'
import { offFrame, onFrame } from './frame.ts'
import { compareReducers, type Reducers } from './purity.ts'

/** Set by the bundler, as for React itself; a production build leaves out the code for development. */
declare const process: { readonly env: { readonly NODE_ENV?: string } }

/** A reduction as one component sees it. */
export interface ReductionStore<E, S> {
  /** Begins the reduction, or continues it with these functions, which may close over newer values. */
  adopt(options: EventReducerOptions<E, S>): void
  subscribe(listener: () => void): () => void
  getSnapshot(): S
  getServerSnapshot(): S
}

/** A reducer of a source's events whose functions can be replaced. */
interface Reduction<E, S> extends EventReducer<E, S> {
  adopt(options: EventReducerOptions<E, S>): void
}

/** By source and by {@link signature}; they live as long as the source. */
const reductions = new WeakMap<object, Map<string, Reduction<never, unknown>>>()

/** The reduction of a source with this signature: begun by the first component, and shared with later ones. */
export function reductionStore<E, S>(
  source: TypedEventSource<E> | null,
  signature: string,
  initial: S,
): ReductionStore<E, S> {
  const begun = (): Reduction<E, S> | undefined =>
    source === null
      ? undefined
      : // Both types follow from the code that the signature stands for.
        (reductions.get(source)?.get(signature) as Reduction<E, S> | undefined)

  return {
    adopt(options) {
      if (source === null) return
      const reduction = begun()
      if (reduction !== undefined) {
        reduction.adopt(options)
        return
      }
      const ofSource = reductions.get(source) ?? new Map<string, Reduction<never, unknown>>()
      ofSource.set(signature, begin(source, options) as unknown as Reduction<never, unknown>)
      reductions.set(source, ofSource)
    },
    subscribe(listener) {
      const off = begun()?.subscribe(() => onFrame(listener))
      return () => {
        off?.()
        offFrame(listener)
      }
    },
    getSnapshot() {
      const reduction = begun()
      return reduction === undefined ? initial : reduction.getState()
    },
    getServerSnapshot: () => initial,
  }
}

function begin<E, S>(source: TypedEventSource<E>, options: EventReducerOptions<E, S>): Reduction<E, S> {
  let newest = options
  // The signature contains the event names, so later functions have the same names.
  const reduce = { ...options.reduce }
  const reducer = createEventReducer<S, E>(source, {
    initial: options.initial,
    reduce,
    onGap: options.onGap && ((state, resync) => (newest.onGap ? newest.onGap(state, resync) : state)),
  })
  return {
    ...reducer,
    adopt(options) {
      const former: Reducers<S> = newest.reduce
      newest = options
      Object.assign(
        reduce,
        process.env.NODE_ENV === 'production' ? options.reduce : compareReducers<S>(options.reduce, former),
      )
    },
  }
}

/**
 * What tells reductions of one source apart: their code, and a name for what that closes over. Identity would not do: an
 * inline reducer is another function in each render and each component.
 */
export function signature<E, S>(options: EventReducerOptions<E, S>, name: string | undefined): string {
  const code = Object.entries(options.reduce).map(([event, reduce]) => [event, codeOf(reduce)])
  return JSON.stringify([name, code, codeOf(options.onGap)])
}

/** Without the function's name: React Compiler numbers the names that it gives inline functions (`_temp`, `_temp2`). */
const codeOf = (reduce: unknown): string => String(reduce).replace(/^function [\w$]+/, '')
