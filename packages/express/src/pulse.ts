/** One timer for everything that has a beat; it runs only while there is something. */
export interface Pulse {
  start(): void
  stop(): void
}

/** Calls `beat` at an interval of milliseconds, without keeping the process alive. */
export function createPulse(interval: number, beat: () => void): Pulse {
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      timer ??= setInterval(beat, interval).unref()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
