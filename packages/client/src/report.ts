/**
 * Calls what the app gave us. An error of its own is reported as an event handler's is, and stops nothing of ours.
 *
 * @see https://html.spec.whatwg.org/multipage/webappapis.html#report-the-exception
 */
export function call<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R | undefined {
  try {
    return fn(...args)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
    return undefined
  }
}
