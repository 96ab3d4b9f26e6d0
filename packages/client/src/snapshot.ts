/** The newest payloads: events change a draft, which becomes the current snapshot when it is committed. */
export interface Snapshot {
  readonly current: Readonly<Record<string, unknown>>
  /** @param key - of keyed state; else empty or `undefined` */
  set(event: string, key: string | undefined, payload: unknown): void
  /** @param key - of keyed state; else empty or `undefined` */
  remove(event: string, key: string | undefined): void
  /** @returns whether anything changed */
  commit(): boolean
}

type Payloads = Record<string, unknown>

/** Without a prototype, so that `constructor` and `__proto__` are names like any other. */
const copy = (payloads: unknown): Payloads => Object.assign(Object.create(null), payloads)

export function createSnapshot(initial: object | undefined): Snapshot {
  let current = copy(initial)
  let draft: Payloads | undefined
  /** The keyed states that were copied for this draft: once each, however many of their keys change. */
  let keyed: Record<string, Payloads> = copy({}) as Record<string, Payloads>

  /** The object to write to: the draft's payloads by event, or for keyed state those of one event by key. */
  function edit(event: string, key: string | undefined): Payloads {
    draft ??= copy(current)
    if (!key) return draft
    keyed[event] ??= copy(draft[event])
    draft[event] = keyed[event]
    return keyed[event]
  }

  return {
    get current() {
      return current
    },
    set(event, key, payload) {
      edit(event, key)[key || event] = payload
    },
    remove(event, key) {
      // Without a contract, or with one of another version, there may be nothing under this key.
      if (key && !(key in Object((draft ?? current)[event]))) return
      delete edit(event, key)[key || event]
    },
    commit() {
      if (!draft) return false
      current = draft
      draft = undefined
      keyed = copy({}) as Record<string, Payloads>
      return true
    },
  }
}
