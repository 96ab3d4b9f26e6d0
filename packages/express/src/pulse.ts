import { AsyncResource } from 'node:async_hooks'

/** One timer for all streams, which runs only while there are some. */
export interface Pulse {
  start(): void
  stop(): void
}

/** Calls `beat` at an interval of milliseconds, without keeping the process alive. */
export function createPulse(interval: number, beat: () => void): Pulse {
  let timer: NodeJS.Timeout | undefined
  // Not the context of the first request: that would keep its `AsyncLocalStorage` alive, and serve all streams within it.
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
