import { SseError } from '@sse/express'
import { ErrorReply } from 'redis'

/**
 * @param doubt - whether Redis may have stored what it did not acknowledge
 * @param cause - what went wrong last, if anything did
 */
export const timeoutError = (timeout: number, doubt: boolean, cause?: unknown): SseError => {
  const stored = doubt ? '; what was sent may have been stored, or may yet be' : ''
  const last = cause instanceof Error ? ` What failed last: ${cause.message}` : ''
  const message =
    cause instanceof ErrorReply
      ? `Redis refused for ${timeout} ms (publishTimeout)${stored}: ${cause.message}`
      : `Redis did not answer within ${timeout} ms (publishTimeout)${stored}: check that it runs, and that the client is connected to it.${last}`
  return new SseError('ERR_SSE_BROKER', 503, message, cause === undefined ? {} : { cause })
}

/** How late a timer may be, and the extra time if it is later: after a stall, the event loop has replies to read first. */
const LATE = 100

/** Calls back when time is up and the event loop had time to read replies. @returns a function that cancels it */
export function deadline(timeout: number, callback: () => void): () => void {
  const due = performance.now() + timeout
  let timer = setTimeout(() => {
    if (performance.now() - due < LATE) callback()
    else timer = setTimeout(callback, LATE)
  }, timeout)
  return () => clearTimeout(timer)
}

/**
 * @param cause - returns what went wrong last, if anything did
 * @throws {@link SseError} when time is up
 */
export async function within<T>(timeout: number, promise: Promise<T>, cause?: () => unknown): Promise<T> {
  let cancel = (): void => {}
  const late = new Promise<never>((_, reject) => {
    cancel = deadline(timeout, () => reject(timeoutError(timeout, false, cause?.())))
  })
  return await Promise.race([promise, late]).finally(() => cancel())
}
