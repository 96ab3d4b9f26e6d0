import type { ConnectionError } from './errors.ts'

/** Whether a lost or refused connection is worth another attempt, as long as the app does not say otherwise. */
export function isRetriable({ kind, status }: ConnectionError): boolean {
  if (kind === 'http') return status === 408 || status === 425 || status === 429 || (status ?? 0) >= 500
  return kind === 'network' || kind === 'timeout' || kind === 'stale'
}
