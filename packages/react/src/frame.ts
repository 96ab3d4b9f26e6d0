/** Frames stop while a page is hidden; what waits for one then goes on by a timer, after this many milliseconds. */
const HIDDEN_FRAME = 100

const waiting = new Set<() => void>()
let timer: ReturnType<typeof setTimeout> | undefined
let frame: number | undefined

/**
 * Calls back in the next frame, once however often it is asked: together with all others that wait, so that React commits
 * them as one.
 */
export function onFrame(callback: () => void): void {
  waiting.add(callback)
  timer ??= setTimeout(flushFrame, HIDDEN_FRAME)
  frame ??= globalThis.requestAnimationFrame?.(flushFrame)
}

/** Calls off what {@link onFrame} was asked for, if it still waits. */
export function offFrame(callback: () => void): void {
  waiting.delete(callback)
  if (waiting.size === 0) flushFrame() // leaves no timer behind
}

/** Does not wait for the frame. */
export function flushFrame(): void {
  clearTimeout(timer)
  if (frame !== undefined) cancelAnimationFrame(frame)
  timer = frame = undefined
  const due = [...waiting]
  waiting.clear()
  for (const callback of due) callback()
}
