import { SseError } from '@sse/express'

/** @param sent - whether Redis may have received what it did not answer */
export const timeoutError = (timeout: number, sent: boolean): SseError => {
  const doubt = sent ? '; what was sent may have been stored, or may yet be' : ''
  return new SseError(
    'ERR_SSE_BROKER',
    503,
    `Redis did not answer within ${timeout} ms (publishTimeout)${doubt}: see that it runs, and that its client is connected.`,
  )
}

/** @throws {@link SseError} when time is up */
export async function within<T>(timeout: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timeoutError(timeout, false)), timeout)
  })
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
