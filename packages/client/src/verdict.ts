import type { ConnectionError } from './errors.ts'

/** Whether a lost or refused connection is worth another attempt, as long as the app does not say otherwise. */
export function isRetriable({ kind, status = 0 }: ConnectionError): boolean {
  if (kind === 'http') return [408, 425, 429].includes(status) || status >= 500
  return ['network', 'timeout', 'stale'].includes(kind)
}
