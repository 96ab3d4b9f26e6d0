/** A promise, and the function that resolves it. */
export interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

/** `Promise.withResolvers`, which Node has only from 22 on. */
export function defer(): Deferred {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
