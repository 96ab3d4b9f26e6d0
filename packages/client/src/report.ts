/**
 * Calls a function of the app. An error that it throws is reported like that of an event handler, and stops nothing here.
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
