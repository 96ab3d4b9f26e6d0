import { AsyncResource } from 'node:async_hooks'

/** One timer for everything that has a beat; it runs only while there is something. */
export interface Pulse {
  start(): void
  stop(): void
}

/** Calls `beat` at an interval of milliseconds, without keeping the process alive. */
export function createPulse(interval: number, beat: () => void): Pulse {
  let timer: NodeJS.Timeout | undefined
  // Not that of whoever comes first: it would hold on to what that request keeps in an `AsyncLocalStorage`, and the streams of
  // all others would be served as if it were theirs.
  const context = new AsyncResource('SsePulse')
  return {
    start() {
      timer ??= context.runInAsyncScope(() => setInterval(beat, interval).unref())
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
