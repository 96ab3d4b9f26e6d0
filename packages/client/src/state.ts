import type { ConnectionError } from './errors.ts'

/** Where a connection stands, in one word. */
export type Status = 'idle' | 'connecting' | 'open' | 'retrying' | 'paused' | 'closed' | 'failed'

/**
 * How a stream continues what was received before it: nothing was (`fresh`), it resumes where that ended (`resumed`), or
 * events are missing, or may be if the server does not say (`gap`).
 */
export type Continuity = 'fresh' | 'resumed' | 'gap'

/** Why no connection is attempted at the moment. */
export type PauseCause = 'offline' | 'hidden' | 'frozen'

interface Blank {
  readonly attempt: undefined
  readonly since: undefined
  readonly continuity: undefined
  readonly stale: undefined
  readonly retryAt: undefined
  readonly error: undefined
  readonly cause: undefined
  readonly by: undefined
  readonly reason: undefined
}

interface Common<S extends Status> {
  readonly status: S
  /** The status before this one. */
  readonly previous: Status | undefined
}

/** Not opened yet, or nobody listens any more. */
export interface IdleState extends Common<'idle'>, Blank {}

/** A request is on its way. */
export interface ConnectingState extends Common<'connecting'>, Omit<Blank, 'attempt'> {
  /** The number of the attempt, from 1; a connection that lasted ten seconds starts the count again. */
  readonly attempt: number
}

/** The stream is open. */
export interface OpenState extends Common<'open'>, Omit<Blank, 'since' | 'continuity' | 'stale'> {
  /** When it opened, in milliseconds since the epoch. */
  readonly since: number
  readonly continuity: Continuity
  /** Whether the server missed its heartbeat; if it stays silent, the client reconnects. */
  readonly stale: boolean
}

/** The connection was lost or refused; the next attempt is planned. */
export interface RetryingState extends Common<'retrying'>, Omit<Blank, 'attempt' | 'retryAt' | 'error'> {
  /** The number of the attempt that will be made. */
  readonly attempt: number
  /** When, in milliseconds since the epoch. */
  readonly retryAt: number
  readonly error: ConnectionError
}

/** An attempt would be in vain; it is made as soon as the cause is gone. */
export interface PausedState extends Common<'paused'>, Omit<Blank, 'cause'> {
  readonly cause: PauseCause
}

/** Closed by either side; only `open()` and `reconnect()` leave this state. */
export interface ClosedState extends Common<'closed'>, Omit<Blank, 'by' | 'reason'> {
  readonly by: 'client' | 'server'
  readonly reason: string
}

/** Given up; tried again by `open()` and `reconnect()`, or by the next listener after all have left. */
export interface FailedState extends Common<'failed'>, Omit<Blank, 'error'> {
  readonly error: ConnectionError
}

/**
 * The state of a connection, discriminated by `status`. Every key exists on every state (`undefined` where it has no
 * meaning), so that destructuring narrows.
 *
 * @example
 * const { status, attempt, retryAt } = source.getState()
 * if (status === 'retrying') show(`attempt ${attempt} in ${retryAt - Date.now()} ms`)
 */
export type ConnectionState =
  | IdleState
  | ConnectingState
  | OpenState
  | RetryingState
  | PausedState
  | ClosedState
  | FailedState
