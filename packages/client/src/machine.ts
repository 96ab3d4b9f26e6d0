import type { ConnectionError } from './errors.ts'
import type { ConnectionState, Continuity, PauseCause, Status } from './state.ts'

/** What happens to a connection. Times come with the event: the machine has no clock. */
export type ConnectionEvent =
  | { readonly type: 'open'; readonly attempt: number }
  | { readonly type: 'due'; readonly attempt: number }
  | { readonly type: 'resume'; readonly attempt: number }
  | { readonly type: 'reconnect'; readonly attempt: number }
  | { readonly type: 'refresh'; readonly attempt: number }
  | { readonly type: 'opened'; readonly since: number; readonly continuity: Continuity }
  | { readonly type: 'assess'; readonly continuity: Continuity }
  | { readonly type: 'silence' }
  | { readonly type: 'sound' }
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

/** How a connection is left that is wanted. */
const leaving = { pause: 'paused', release: 'idle', close: 'closed' } as const
const running = { reconnect: 'connecting', retry: 'retrying', ...leaving } as const

/** By status, what can happen and where it leads; anything else leaves the state as it is. */
export const transitions: {
  readonly [S in Status]: { readonly [T in ConnectionEventType]?: Status }
} = {
  idle: { open: 'connecting', pause: 'paused', close: 'closed' },
  connecting: { opened: 'open', refresh: 'connecting', ...running, fail: 'failed' },
  open: { assess: 'open', silence: 'open', sound: 'open', ...running, fail: 'failed' },
  retrying: { due: 'connecting', ...running },
  paused: { resume: 'connecting', ...leaving },
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
  const status = transitions[state.status][event.type]
  if (status === undefined) return state
  const { type, ...said } = event
  const stays = status === 'open' && state.status === 'open'
  // The table leads every event to the status that carries what the event says.
  const next = {
    ...(stays ? state : { ...blank, status, previous: state.status }),
    ...(status === 'open' && { stale: type === 'silence' }),
    ...said,
  } as ConnectionState
  const same = stays
    ? next.continuity === state.continuity && next.stale === state.stale
    : status === 'paused' && next.cause === state.cause
  return same ? state : next
}
