/** What happens to a page, by the names of its events, as far as it matters to a connection. */
export type LifecycleSignal = keyof typeof freezes

/** The signals of the page. */
export interface Lifecycle {
  /** Whether there may be a network. */
  online(): boolean
  /** Whether the page may be seen. */
  visible(): boolean
  /** @param until - removes the listener when it aborts */
  listen(listener: (signal: LifecycleSignal) => void, until: AbortSignal): void
}

/** By name, whether the page is frozen from then on; `undefined` where that stays as it was. */
export const freezes = {
  online: undefined,
  offline: undefined,
  visibilitychange: undefined,
  freeze: true,
  pagehide: true,
  resume: false,
  pageshow: false,
} as const

/** The signals of a page or worker; outside of one, always online and visible. */
export const pageLifecycle: Lifecycle = {
  online: () => globalThis.navigator?.onLine !== false,
  visible: () => globalThis.document?.visibilityState !== 'hidden',
  listen(listener, until) {
    for (const type in freezes) {
      const hear = ({ target }: Event): void => {
        // An element may have events of these names, too.
        if (!(target as Partial<Node>).parentNode) listener(type as LifecycleSignal)
      }
      // Those of the document need not bubble. (jsdom refuses as `signal` those of Node, which tests may have beside it.)
      globalThis.addEventListener?.(type, hear, { capture: true })
      until.addEventListener('abort', () => globalThis.removeEventListener?.(type, hear, { capture: true }))
    }
  },
}
