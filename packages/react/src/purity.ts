/** By event name, the state after an event. */
export type Reducers<S> = Readonly<Record<string, Reducer<S> | undefined>>

type Reducer<S> = (state: S, data: never, meta: never) => S

/** The code of the reducers that were warned about. */
const warned = new Set<string>()

/**
 * Wraps reducers so that their results are compared with those of the former reducers, which have the same code: if they
 * differ, the reducers close over something that is missing in their signature.
 */
export function compareReducers<S>(reducers: Reducers<S>, former: Reducers<S>): Reducers<S> {
  const compared: Record<string, Reducer<S> | undefined> = {}
  for (const [event, reduce] of Object.entries(reducers)) {
    compared[event] = reduce
    const other = former[event]
    if (reduce === undefined || other === undefined || other === reduce) continue
    // Compares up to the first change, after which a render wraps the reducers again.
    let pending = true
    compared[event] = (state, data, meta) => {
      const next = reduce(state, data, meta)
      if (pending && !isAlike(next, () => other(state, data, meta))) warn(event, String(reduce))
      pending &&= Object.is(next, state)
      return next
    }
  }
  return compared
}

function warn(event: string, code: string): void {
  if (warned.has(code)) return
  warned.add(code)
  // biome-ignore lint/suspicious/noConsole: a mistake in the app's code, which its author has to see
  console.warn(
    `useEventReducer: two reducers of '${event}' have the same code, and so share one state, but returned different results. Put what they close over (a prop, say) in 'name'; a reducer must not use values that are new each time (a random id).`,
  )
}

function isAlike(one: unknown, compute: () => unknown): boolean {
  try {
    const other = compute()
    return Object.is(one, other) || JSON.stringify(one) === JSON.stringify(other)
  } catch {
    return true // cannot be compared
  }
}
