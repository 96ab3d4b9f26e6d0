/** By event name, the state after an event. */
export type Reducers<S> = Readonly<Record<string, Reducer<S> | undefined>>

type Reducer<S> = (state: S, data: never, meta: never) => S

/** The code of which was warned. */
const warned = new Set<string>()

/**
 * The reducers, which are compared with former ones of the same code: where the two come to different results, they take
 * something from outside that their signature does not tell.
 */
export function compareReducers<S>(reducers: Reducers<S>, former: Reducers<S>): Reducers<S> {
  const compared: Record<string, Reducer<S> | undefined> = {}
  for (const [event, reduce] of Object.entries(reducers)) {
    compared[event] = reduce
    const other = former[event]
    if (reduce === undefined || other === undefined || other === reduce) continue
    // What changes is rendered, and so compared anew.
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
    `useEventReducer: two reducers of '${event}' with the same code came to different results, but share one. Put what they take from outside (a prop, say) in 'name'; what cannot be told by a name (a random id) has no place in a reducer.`,
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
