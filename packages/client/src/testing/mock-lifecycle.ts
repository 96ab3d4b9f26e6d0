import type { Lifecycle, LifecycleSignal } from '../lifecycle.ts'

/** A page controlled by the test. */
export interface MockLifecycle extends Lifecycle {
  readonly listeners: number
  signal(signal: LifecycleSignal): void
  show(shown: boolean): void
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
    listen(listener, until) {
      listeners.add(listener)
      until.addEventListener('abort', () => listeners.delete(listener))
    },
    signal(signal) {
      if (signal === 'online' || signal === 'offline') online = signal === 'online'
      for (const listener of [...listeners]) listener(signal)
    },
    show(shown) {
      visible = shown
      this.signal('visibilitychange')
    },
  }
}
