/** What the browser keeps for the page; nothing where it lets no page keep anything, and says so by throwing. */
export function storage(kind: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    return window[kind]
  } catch {
    return undefined
  }
}
