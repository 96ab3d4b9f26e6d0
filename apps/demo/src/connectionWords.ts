import type { ConnectionState } from '@sse/react'

export interface ConnectionWords {
  /** Changes only when something happened, so it can be read out. */
  readonly title: string
  readonly detail: string
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/**
 * The state of the connection in words.
 *
 * @param seconds - how many are left until the next attempt
 */
export function connectionWords(state: ConnectionState, seconds: number): ConnectionWords {
  switch (state.status) {
    case 'idle':
      return { title: 'Not connected', detail: 'Nothing has been requested yet.' }
    case 'connecting':
      return { title: 'Connecting', detail: attemptWords(state.attempt) }
    case 'open':
      return { title: state.stale ? 'Quiet' : 'Live', detail: openWords(state) }
    case 'retrying': {
      const why =
        state.error.status === undefined ? 'The connection was lost.' : refusalWords(state.error.status)
      return { title: 'Waiting', detail: `${why} Attempt ${state.attempt} in ${seconds} s.` }
    }
    case 'paused':
      return { title: 'Paused', detail: pauseWords[state.cause] }
    case 'closed':
      return { title: 'Closed', detail: `By the ${state.by}: ${state.reason}` }
    case 'failed':
      return { title: 'Failed', detail: state.error.message }
  }
}

const attemptWords = (attempt: number): string => (attempt === 1 ? 'First attempt.' : `Attempt ${attempt}.`)

const refusalWords = (status: number): string =>
  status === 503 ? 'The server is not taking you back yet (503).' : `The server answered ${status}.`

const pauseWords = {
  offline: 'This device is offline. The stream resumes when it is back online.',
  hidden: 'This page is hidden. The stream resumes when you come back.',
  frozen: 'This page was put to sleep. The stream resumes when it wakes.',
} as const

function openWords({ since, continuity, stale }: Extract<ConnectionState, { status: 'open' }>): string {
  if (stale) return 'The server has missed its heartbeat.'
  const at = clock.format(since)
  return {
    fresh: `Connected at ${at}.`,
    resumed: `Resumed at ${at}. Nothing was missed.`,
    gap: `Connected anew at ${at}. Older events may be missing.`,
  }[continuity]
}
