/** A storage of the browser; `undefined` where it is blocked, which makes the access throw. */
export function storage(kind: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    return window[kind]
  } catch {
    return undefined
  }
}
