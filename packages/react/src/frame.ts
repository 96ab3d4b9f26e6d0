/** Frames stop while a page is hidden; what waits for one then goes on by a timer, after this many milliseconds. */
const HIDDEN_FRAME = 100

const waiting = new Set<() => void>()
let cancel: (() => void) | undefined

/**
 * Calls back in the next frame, once however often it is asked: together with all others that wait, so that React commits
 * them as one.
 *
 * @returns what calls it off
 */
export function onFrame(callback: () => void): () => void {
  waiting.add(callback)
  cancel ??= schedule(flushFrame)
  return () => {
    waiting.delete(callback)
  }
}

/** Does not wait for the frame. */
export function flushFrame(): void {
  cancel?.()
  cancel = undefined
  const due = [...waiting]
  waiting.clear()
  for (const callback of due) callback()
}

function schedule(callback: () => void): () => void {
  const timer = setTimeout(callback, HIDDEN_FRAME)
  const frame = typeof requestAnimationFrame === 'function' ? requestAnimationFrame(callback) : undefined
  return () => {
    clearTimeout(timer)
    if (frame !== undefined) cancelAnimationFrame(frame)
  }
}
