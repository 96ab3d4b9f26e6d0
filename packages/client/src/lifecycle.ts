/** What happens to the page, as far as a connection has to know. */
export type LifecycleSignal = 'online' | 'offline' | 'visible' | 'hidden' | 'frozen' | 'thawed'

/** The signals of the page. */
export interface Lifecycle {
  /** Whether there may be a network. */
  online(): boolean
  /** Whether the page may be seen. */
  visible(): boolean
  /** @returns what ends it */
  listen(listener: (signal: LifecycleSignal) => void): () => void
}

const signals: Readonly<Record<string, LifecycleSignal>> = {
  online: 'online',
  offline: 'offline',
  pagehide: 'frozen',
  pageshow: 'thawed',
  freeze: 'frozen',
  resume: 'thawed',
}

/** The signals of a page or worker; outside of one, always online and visible. */
export const pageLifecycle: Lifecycle = {
  online: () => globalThis.navigator?.onLine !== false,
  visible: () => globalThis.document?.visibilityState !== 'hidden',
  listen(listener) {
    const handle = ({ type }: Event): void =>
      listener(signals[type] ?? (pageLifecycle.visible() ? 'visible' : 'hidden'))
    const targets: readonly (readonly [EventTarget | undefined, readonly string[]])[] = [
      [globalThis, ['online', 'offline', 'pagehide', 'pageshow']],
      [globalThis.document, ['visibilitychange', 'freeze', 'resume']],
    ]
    for (const [target, types] of targets) {
      for (const type of types) target?.addEventListener?.(type, handle)
    }
    return () => {
      for (const [target, types] of targets) {
        for (const type of types) target?.removeEventListener?.(type, handle)
      }
    }
  },
}
