import { ConnectionError } from './errors.ts'
import type { SourceEvent, TypedEventSource } from './source.ts'

/** How many events a reader may be behind. */
const LIMIT = 1_024

/**
 * Iterates over every event of a source from now on, in order: it opens the source as a listener does, ends when the source
 * closes, and throws when the source fails or the loop falls more than 1,024 events behind.
 *
 * @example
 * for await (const { event, data } of eventsOf(live)) console.log(event, data)
 */
export function eventsOf<E>(source: TypedEventSource<E>): AsyncIterableIterator<SourceEvent<E>> {
  const buffer: SourceEvent<E>[] = []
  let done = false
  let failure: ConnectionError | undefined
  const waiting: (() => void)[] = []

  const offEvents = source.on('*', (event) => {
    buffer.push(event)
    // Many events may arrive in one chunk; a reader that keeps up has read them all before the next task.
    if (buffer.length === LIMIT + 1) setTimeout(judge)
    wake()
  })
  const offState = source.subscribe(look)
  look()

  function judge(): void {
    if (buffer.length > LIMIT)
      finish(
        new ConnectionError(
          'overflow',
          `The reader is over ${LIMIT} events behind: do less for each, or use on().`,
        ),
      )
  }

  function wake(): void {
    for (const resolve of waiting.splice(0)) resolve()
  }

  function look(): void {
    const { status, error } = source.getState()
    if (status === 'closed' || status === 'failed') finish(error)
  }

  function finish(error?: ConnectionError): void {
    if (done) return
    done = true
    failure = error
    offEvents()
    offState()
    wake()
  }

  return {
    async next() {
      while (buffer.length === 0 && !done) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
        })
      }
      const value = buffer.shift()
      if (value) return { done: false, value }
      const error = failure
      failure = undefined
      if (error) throw error
      return { done: true, value: undefined }
    },
    async return() {
      finish()
      buffer.length = 0
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
