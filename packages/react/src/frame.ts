/** While a page is hidden it has no frames; callbacks then run by a timer, after this many milliseconds. */
const HIDDEN_FRAME = 100

const waiting = new Set<() => void>()
let timer: ReturnType<typeof setTimeout> | undefined
let frame: number | undefined

/**
 * Calls back in the next frame, once however often it was requested, together with all other callbacks that wait, so that
 * React commits them as one.
 */
export function onFrame(callback: () => void): void {
  waiting.add(callback)
  timer ??= setTimeout(flushFrame, HIDDEN_FRAME)
  frame ??= globalThis.requestAnimationFrame?.(flushFrame)
}

/** Cancels a callback of {@link onFrame} that still waits. */
export function offFrame(callback: () => void): void {
  waiting.delete(callback)
  if (waiting.size === 0) flushFrame() // leaves no timer behind
}

/** Runs all waiting callbacks now. */
export function flushFrame(): void {
  clearTimeout(timer)
  if (frame !== undefined) cancelAnimationFrame(frame)
  timer = frame = undefined
  const due = [...waiting]
  waiting.clear()
  for (const callback of due) callback()
}
