/** The reconnection time where the server asks for none, in milliseconds. */
export const DEFAULT_RETRY = 1_000
/** Two attempts never begin within this time, in milliseconds. */
export const MIN_INTERVAL = 1_000
const LONGEST_DELAY = 30_000

/** The server's `retry:`, within reason: from 100 ms to 5 min. */
export const clampRetry = (milliseconds: number): number => Math.min(Math.max(milliseconds, 100), 300_000)

/**
 * How long to wait for an attempt, in milliseconds: exponential on the server's reconnection time with full jitter, so that
 * clients that were lost together do not come back together.
 *
 * @param attempt - which one in a row is waited for, from 1
 * @param retry - the server's reconnection time, in milliseconds
 * @param random - from 0 to less than 1
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backoff = (attempt: number, retry: number, random: number): number =>
  Math.round(random * Math.min(retry * 2 ** (attempt - 1), Math.max(retry, LONGEST_DELAY)))
