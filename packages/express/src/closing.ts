/** What closing needs of a stream. */
interface Closable {
  readonly closed: Promise<void>
  retire(retry: number): void
  disconnect(): void
  destroy(): void
}

/** How long to wait for readers that take nothing, in milliseconds. */
const GRACE = 500

/** The shortest interval at which streams are ended, in milliseconds. */
const STEP = 20

/**
 * Ends streams spread over `within` milliseconds, after telling each client when to reconnect, then destroys those that are
 * left.
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
  // After a `server.close()` called in the same turn: it would cut off responses that have ended but were not taken yet.
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
