import { ConnectionError } from './errors.ts'
import type { TransportHandlers, TransportRequest } from './transport.ts'

/** One attempt to connect, and what comes of it. */
export interface Attempt {
  /** Whether it may still speak. */
  readonly alive: boolean
  /** Ends it: nothing is heard of it any more, whatever its transport still has to tell. */
  abort(): void
}

/**
 * Asks for a request and has it carried out.
 *
 * @param prepare - is asked for the request; may take its time, and fail
 * @param connect - sends it, unless the attempt was aborted meanwhile
 */
export function beginAttempt(
  prepare: () => Promise<TransportRequest>,
  connect: (request: TransportRequest, handlers: TransportHandlers) => () => void,
  handlers: TransportHandlers,
): Attempt {
  let alive = true
  let stop: (() => void) | undefined

  const whileAlive =
    <A extends unknown[]>(handler: (...args: A) => void) =>
    (...args: A): void => {
      if (alive) handler(...args)
    }
  const end = whileAlive(handlers.end)

  async function begin(): Promise<void> {
    try {
      const request = await prepare()
      if (!alive) return
      stop = connect(request, {
        open: whileAlive(handlers.open),
        event: whileAlive(handlers.event),
        flush: whileAlive(handlers.flush),
        retry: whileAlive(handlers.retry),
        end,
      })
      // It may have come to its end at once.
      if (!alive) stop()
    } catch (cause) {
      end(new ConnectionError('network', 'The url or headers failed.', { cause }))
    }
  }
  begin()

  return {
    get alive() {
      return alive
    },
    abort() {
      alive = false
      stop?.()
    },
  }
}
