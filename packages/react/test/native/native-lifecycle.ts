import type { Lifecycle, LifecycleSignal } from '@sse/react'

/** What is used of React Native's `AppState`. */
interface AppState {
  readonly currentState: string
  addEventListener(type: 'change', listener: (state: string) => void): unknown
}

/** What is used of `@react-native-community/netinfo`. */
interface NetInfo {
  addEventListener(listener: (network: { readonly isConnected: boolean | null }) => void): unknown
}

/** The signals of an app: in the background it lets go of its connections, in the foreground it resumes them. */
export function nativeLifecycle(appState: AppState, netInfo: NetInfo): Lifecycle {
  const listeners = new Set<(signal: LifecycleSignal) => void>()
  const tell = (signal: LifecycleSignal) => {
    for (const listener of [...listeners]) listener(signal)
  }
  let online = true
  netInfo.addEventListener(({ isConnected }) => {
    if (online === (isConnected !== false)) return
    online = !online
    tell(online ? 'online' : 'offline')
  })
  appState.addEventListener('change', (state) => {
    if (state === 'background') tell('freeze')
    if (state === 'active') tell('resume')
  })
  return {
    online: () => online,
    visible: () => appState.currentState === 'active',
    listen(listener, until) {
      listeners.add(listener)
      until.addEventListener('abort', () => listeners.delete(listener))
    },
  }
}
