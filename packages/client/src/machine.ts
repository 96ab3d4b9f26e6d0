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

/** By status, what can happen and where it leads; anything else leaves the state as it is. */
export const transitions: {
  readonly [S in Status]: { readonly [T in ConnectionEventType]?: Status }
} = {
  idle: { open: 'connecting', pause: 'paused', close: 'closed' },
  connecting: {
    opened: 'open',
    refresh: 'connecting',
    reconnect: 'connecting',
    retry: 'retrying',
    pause: 'paused',
    release: 'idle',
    close: 'closed',
    fail: 'failed',
  },
  open: {
    assess: 'open',
    silence: 'open',
    sound: 'open',
    reconnect: 'connecting',
    retry: 'retrying',
    pause: 'paused',
    release: 'idle',
    close: 'closed',
    fail: 'failed',
  },
  retrying: {
    due: 'connecting',
    reconnect: 'connecting',
    retry: 'retrying',
    pause: 'paused',
    release: 'idle',
    close: 'closed',
  },
  paused: { resume: 'connecting', pause: 'paused', release: 'idle', close: 'closed' },
  closed: { open: 'connecting', pause: 'paused' },
  failed: { open: 'connecting', pause: 'paused', release: 'idle', close: 'closed' },
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
  if (transitions[state.status][event.type] === undefined) return state
  const next = { ...blank, previous: state.status }
  switch (event.type) {
    case 'open':
    case 'due':
    case 'resume':
    case 'reconnect':
    case 'refresh':
      return { ...next, status: 'connecting', attempt: event.attempt }
    case 'opened':
      return { ...next, status: 'open', since: event.since, continuity: event.continuity, stale: false }
    case 'assess':
      return state.status === 'open' && state.continuity !== event.continuity
        ? { ...state, continuity: event.continuity }
        : state
    case 'silence':
      return state.status === 'open' && !state.stale ? { ...state, stale: true } : state
    case 'sound':
      return state.status === 'open' && state.stale ? { ...state, stale: false } : state
    case 'retry':
      return {
        ...next,
        status: 'retrying',
        attempt: event.attempt,
        retryAt: event.retryAt,
        error: event.error,
      }
    case 'pause':
      return state.cause === event.cause ? state : { ...next, status: 'paused', cause: event.cause }
    case 'release':
      return { ...next, status: 'idle' }
    case 'close':
      return { ...next, status: 'closed', by: event.by, reason: event.reason }
    case 'fail':
      return { ...next, status: 'failed', error: event.error }
  }
}
