import { isDeepStrictEqual } from 'node:util'

/**
 * Publishes something that other servers change and publish as well, until what was said last is how it is: between
 * reading and publishing this server may be overtaken, and would say the older after the newer.
 *
 * @param value - what to say first
 */
export async function announce<T>(
  value: T,
  read: () => Promise<T>,
  publish: (value: T) => Promise<unknown>,
): Promise<void> {
  for (let said = value; ; ) {
    await publish(said)
    const now = await read()
    if (isDeepStrictEqual(now, said)) return
    said = now
  }
}
