import { SseError } from './errors.ts'

/** Where events come from: an iterable, a web or Node stream, or a function that makes one and gets a signal to stop. */
export type Source<T> =
  | Iterable<T>
  | AsyncIterable<T>
  | ReadableStreamLike<T>
  | ((context: { readonly signal: AbortSignal }) => Iterable<T> | AsyncIterable<T> | ReadableStreamLike<T>)

/** The part of a web stream that is used here. */
export interface ReadableStreamLike<T> {
  getReader(): {
    read(): Promise<{ done: false; value: T } | { done: true; value?: T | undefined }>
    cancel(reason?: unknown): Promise<void>
  }
}

/** How long a source that never waits may hold the event loop, in milliseconds. */
const PUMP_TIME = 8

/** Takes items one by one, and can stop their producer, even while the next one is pending. */
interface Tap<T> {
  next(): Promise<{ readonly done: true } | { readonly done: false; readonly value: T }>
  stop(): void
}

/**
 * Takes the items of a source one by one, each only when the one before was taken, until the source ends or the signal
 * aborts. On abort, the producer is stopped at once, by `return()`, `cancel()` or `destroy()`.
 *
 * @throws {@link SseError} `ERR_SSE_PRODUCER` if the source throws or is none; what `take` throws, unchanged
 */
export async function pump<T>(
  source: Source<T>,
  signal: AbortSignal,
  take: (item: T) => unknown,
): Promise<void> {
  if (signal.aborted && typeof source === 'function') return
  const items = typeof source === 'function' ? attempt(() => source({ signal })) : source
  assertSource(items)
  const tap = attempt(() => openTap(items))
  let until = performance.now() + PUMP_TIME
  let interrupt = (): void => {}
  let stopped = false
  const stop = (): void => {
    if (!stopped) tap.stop()
    stopped = true
    interrupt()
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    while (!signal.aborted) {
      const item = await new Promise<Awaited<ReturnType<Tap<T>['next']>>>((resolve, reject) => {
        interrupt = () => resolve({ done: true })
        tap.next().then(resolve, reject)
      }).catch(failed)
      if (item.done) return
      await take(item.value)
      if (performance.now() < until) continue
      await new Promise(setImmediate)
      until = performance.now() + PUMP_TIME
    }
  } catch (error) {
    stop()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    if (signal.aborted) stop()
  }
}

function failed(cause: unknown): never {
  throw new SseError('ERR_SSE_PRODUCER', 500, 'The producer of events failed.', { cause })
}

function attempt<S>(action: () => S): S {
  try {
    return action()
  } catch (cause) {
    return failed(cause)
  }
}

function assertSource(source: unknown): void {
  if (isSource(source)) return
  let got: string = typeof source
  if (source instanceof Promise) {
    source.catch(() => {}) // its own rejection does not matter any more
    got = 'a promise: write async function*'
  }
  const message = `Events come from an iterable, a stream, or a function that makes one, got ${got}.`
  throw new SseError('ERR_SSE_PRODUCER', 500, message)
}

function openTap<T>(source: Iterable<T> | AsyncIterable<T> | ReadableStreamLike<T>): Tap<T> {
  if (isReadable(source)) {
    const reader = source.getReader()
    return {
      async next() {
        const { done, value } = await reader.read()
        return done ? { done } : { done, value }
      },
      stop: () => quietly(() => reader.cancel()),
    }
  }
  const iterator = isAsync(source) ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  return {
    async next() {
      const { done, value } = await iterator.next()
      return done ? { done: true } : { done: false, value }
    },
    stop() {
      // `destroy` wakes a waiting stream; a waiting generator handles its `return` when it resumes.
      if (typeof source === 'object' && 'destroy' in source && typeof source.destroy === 'function')
        source.destroy()
      quietly(() => iterator.return?.())
    },
  }
}

/** Not a string: it is iterable, but hardly meant as a source of its characters. */
const isSource = (source: unknown): boolean =>
  typeof source === 'object' &&
  source !== null &&
  ('getReader' in source || Symbol.asyncIterator in source || Symbol.iterator in source)

const isReadable = <T>(
  source: Iterable<T> | AsyncIterable<T> | ReadableStreamLike<T>,
): source is ReadableStreamLike<T> => typeof source === 'object' && 'getReader' in source

const isAsync = <T>(source: Iterable<T> | AsyncIterable<T>): source is AsyncIterable<T> =>
  typeof source === 'object' && Symbol.asyncIterator in source

/** Ignores what fails while a producer is stopped: nobody is left to tell. */
function quietly(stop: () => unknown): void {
  try {
    Promise.resolve(stop()).catch(() => {})
  } catch {}
}
