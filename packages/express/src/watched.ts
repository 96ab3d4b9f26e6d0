/** A promise that knows whether anybody handles it: `await`, `then` and `catch` all call `then`. */
class Watched<T> extends Promise<T> {
  watched = false

  /** Promises derived from it are ordinary ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.watched = true
    return super.then(onFulfilled, onRejected)
  }
}

/**
 * The same promise, except that a rejection goes to `unwatched` if nobody has handled the promise by the end of the turn,
 * instead of ending the process as an unhandled rejection.
 */
export function watch<T>(promise: Promise<T>, unwatched: (error: unknown) => void): Promise<T> {
  const watched = new Watched<T>((resolve, reject) => {
    promise.then(resolve, (error) => {
      reject(error)
      Promise.prototype.then.call(watched, undefined, () => {})
      // An async function that returns the promise handles it a little later.
      setImmediate(() => {
        if (!watched.watched) unwatched(error)
      })
    })
  })
  return watched
}
