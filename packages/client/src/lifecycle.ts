/** The page's events that matter to a connection, by name. */
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

/** By event name, whether the page is frozen from then on; `undefined` for no change. */
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
        // Elements may have events of these names, too.
        if (!(target as Partial<Node>).parentNode) listener(type as LifecycleSignal)
      }
      // Captured, since events of the document need not bubble. (Without `signal`: jsdom refuses one of Node's, which tests may have.)
      globalThis.addEventListener?.(type, hear, { capture: true })
      until.addEventListener('abort', () => globalThis.removeEventListener?.(type, hear, { capture: true }))
    }
  },
}
