/** A promise that knows whether anybody looks at it. `await`, `then` and `catch` all come by `then`. */
class Watched<T> extends Promise<T> {
  watched = false

  /** What is derived from it is an ordinary promise. */
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
 * The same promise, whose rejection goes to `unwatched` if nobody looks at it in the same turn, instead of ending the
 * process as an unhandled rejection.
 */
export function watch<T>(promise: Promise<T>, unwatched: (error: unknown) => void): Promise<T> {
  const watched = new Watched<T>((resolve, reject) => {
    promise.then(resolve, (error) => {
      reject(error)
      Promise.prototype.then.call(watched, undefined, () => {})
      // An async function that returns the promise looks at it a little later.
      setImmediate(() => {
        if (!watched.watched) unwatched(error)
      })
    })
  })
  return watched
}
