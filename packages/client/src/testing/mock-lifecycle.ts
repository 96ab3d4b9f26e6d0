import type { Lifecycle, LifecycleSignal } from '../lifecycle.ts'

/** A page that does as it is told. */
export interface MockLifecycle extends Lifecycle {
  readonly listeners: number
  signal(signal: LifecycleSignal): void
}

export function createMockLifecycle(): MockLifecycle {
  const listeners = new Set<(signal: LifecycleSignal) => void>()
  let online = true
  let visible = true
  return {
    online: () => online,
    visible: () => visible,
    get listeners() {
      return listeners.size
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    signal(signal) {
      if (signal === 'online' || signal === 'offline') online = signal === 'online'
      if (signal === 'visible' || signal === 'hidden') visible = signal === 'visible'
      for (const listener of [...listeners]) listener(signal)
    },
  }
}
