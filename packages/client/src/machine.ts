import type { ConnectionError } from './errors.ts'
import type { ConnectionState, Continuity, PauseCause, Status } from './state.ts'

/** What happens to a connection. Times come with the event: the machine has no clock. */
export type ConnectionEvent =
  | { readonly type: 'open' | 'due' | 'reconnect' | 'refresh'; readonly attempt: number }
  | {
      readonly type: 'opened'
      readonly since: number
      readonly continuity: Continuity
      readonly stale: false
    }
  | { readonly type: 'assess'; readonly continuity?: Continuity; readonly stale: boolean }
  | {
      readonly type: 'retry'
      readonly attempt: number
      readonly retryAt: number
      readonly error: ConnectionError
    }
  | { readonly type: 'pause'; readonly cause: PauseCause }
  | { readonly type: 'release' }
  | { readonly type: 'close'; readonly by: 'client' | 'server'; readonly reason: string }
  | { readonly type: 'fail'; readonly error: ConnectionError }

export type ConnectionEventType = ConnectionEvent['type']

/** The ways out of every state but `closed`. */
const leaving = { pause: 'paused', release: 'idle', close: 'closed' } as const
const running = { reconnect: 'connecting', ...leaving } as const
const trying = { ...running, refresh: 'connecting', retry: 'retrying', fail: 'failed' } as const

/** By status, what can happen and where it leads; anything else leaves the state as it is. */
export const transitions: {
  readonly [S in Status]: { readonly [T in ConnectionEventType]?: Status }
} = {
  idle: { open: 'connecting', ...leaving },
  connecting: { opened: 'open', ...trying },
  open: { assess: 'open', ...trying },
  retrying: { due: 'connecting', ...running },
  paused: { due: 'connecting', ...running },
  closed: { open: 'connecting', pause: 'paused' },
  failed: { open: 'connecting', ...leaving },
}

const blank = {
  attempt: undefined,
  since: undefined,
  continuity: undefined,
  stale: undefined,
  retryAt: undefined,
  error: undefined,
  cause: undefined,
  by: undefined,
  reason: undefined,
} as const

export const initialState: ConnectionState = { ...blank, status: 'idle', previous: undefined }

/** The state after an event; the same object where the event changes nothing. */
export function transition(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  const { type, ...said } = event
  const { status: previous } = state
  const status = transitions[previous][type]
  const same = Object.entries(said).every(([key, value]) => value === Reflect.get(state, key))
  // A new attempt is a new state, even with the same number.
  if (!status || (same && status === previous && status !== 'connecting')) return state
  // The table leads every event to the status that carries what the event says.
  return {
    ...(type === 'assess' ? state : { ...blank, status, previous }),
    ...said,
  } as ConnectionState
}
