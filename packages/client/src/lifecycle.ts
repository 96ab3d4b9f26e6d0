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

const windowSignals = {
  online: 'online',
  offline: 'offline',
  pagehide: 'frozen',
  pageshow: 'thawed',
} as const
const documentSignals = { visibilitychange: 'visible', freeze: 'frozen', resume: 'thawed' } as const

/** The signals of a page or worker; outside of one, always online and visible. */
export const pageLifecycle: Lifecycle = {
  online: () => globalThis.navigator?.onLine !== false,
  visible: () => globalThis.document?.visibilityState !== 'hidden',
  listen(listener) {
    const controller = new AbortController()
    function hear(target: EventTarget | undefined, signals: Readonly<Record<string, LifecycleSignal>>): void {
      for (const [type, signal] of Object.entries(signals)) {
        const handle = (): void =>
          listener(signal === 'visible' && !pageLifecycle.visible() ? 'hidden' : signal)
        target?.addEventListener?.(type, handle, controller)
      }
    }
    hear(globalThis, windowSignals)
    hear(globalThis.document, documentSignals)
    return () => controller.abort()
  },
}
