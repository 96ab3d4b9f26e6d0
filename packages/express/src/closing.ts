/** What of a stream its closing needs. */
interface Closable {
  readonly closed: Promise<void>
  retire(retry: number): void
  disconnect(): void
  destroy(): void
}

/** How long readers that take nothing are waited for, in milliseconds. */
const GRACE = 500

/** How often some of the streams are ended at most, in milliseconds. */
const STEP = 20

/**
 * Ends streams spread over a window of milliseconds, each after a word on when to come back. What is left by then is cut.
 *
 * @returns when all of them are over
 */
export async function closeStreams(
  streams: readonly Closable[],
  within: number,
  retry: () => number,
): Promise<void> {
  const left = [...streams]
  const all = Promise.all(left.map(({ closed }) => closed))
  for (const stream of left) stream.retire(retry())
  const spread = Math.max(within - GRACE, 0)
  const step = Math.max(STEP, spread / Math.max(1, left.length))
  const each = spread === 0 ? left.length : Math.ceil((left.length * step) / spread)
  const endSome = (): void => {
    for (const stream of left.splice(0, each)) stream.disconnect()
  }
  // Not before a `server.close()` beside this: of what has ended, it cuts what the reader has yet to take.
  await undefined
  endSome()
  const steps = setInterval(endSome, step)
  const deadline = setTimeout(
    () => {
      for (const stream of streams) stream.destroy()
    },
    Math.max(within, GRACE),
  )
  await all
  clearInterval(steps)
  clearTimeout(deadline)
}
