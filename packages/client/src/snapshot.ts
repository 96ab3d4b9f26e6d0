/** The newest payloads: changed event by event, and seen as a snapshot that changes when it is committed. */
export interface Snapshot {
  readonly current: Readonly<Record<string, unknown>>
  set(event: string, payload: unknown): void
  /** For keyed state. */
  setKey(event: string, key: string, payload: unknown): void
  remove(event: string): void
  removeKey(event: string, key: string): void
  /** @returns whether anything changed */
  commit(): boolean
}

type Payloads = Record<string, unknown>

/** Without a prototype, so that `constructor` and `__proto__` are names like any other. */
const copy = (payloads: object | undefined): Payloads => Object.assign(Object.create(null), payloads)

export function createSnapshot(initial: object | undefined): Snapshot {
  let current = copy(initial)
  let draft: Payloads | undefined
  /** The keyed states that were copied for this draft, once however many of their keys change. */
  let keyed: Record<string, Payloads> = copy({}) as Record<string, Payloads>

  const edit = (): Payloads => {
    draft ??= copy(current)
    return draft
  }
  function editKeys(event: string): Payloads {
    const payloads = edit()
    const before = payloads[event]
    const keys = keyed[event] ?? copy(typeof before === 'object' && before !== null ? before : undefined)
    keyed[event] = keys
    payloads[event] = keys
    return keys
  }

  return {
    get current() {
      return current
    },
    set(event, payload) {
      edit()[event] = payload
    },
    setKey(event, key, payload) {
      editKeys(event)[key] = payload
    },
    remove(event) {
      delete edit()[event]
    },
    removeKey(event, key) {
      delete editKeys(event)[key]
    },
    commit() {
      if (draft === undefined) return false
      current = draft
      draft = undefined
      keyed = copy({}) as Record<string, Payloads>
      return true
    },
  }
}
