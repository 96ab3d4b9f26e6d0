/** Who was cut off, and until when. */
const until = new Map<string, number>()

/** Keeps a visitor out for some seconds. */
export function exile(id: string, seconds: number): void {
  until.set(id, Date.now() + 1000 * seconds)
  setTimeout(() => secondsLeft(id), 1000 * seconds + 1).unref()
}

/** How long a visitor has to stay away, in whole seconds; 0 for one who may come. */
export function secondsLeft(id: string): number {
  const left = Math.ceil(((until.get(id) ?? 0) - Date.now()) / 1000)
  if (left <= 0) until.delete(id)
  return Math.max(0, left)
}
