import type { ConnectionOptions, PerAttempt } from './options.ts'
import type { TransportRequest } from './transport.ts'

/** What attempts ask for. A request other than GET is sent once; after that its response is resumed, or nothing is. */
export interface SourceRequest {
  /** Whether asking again does no harm. */
  readonly repeatable: boolean
  /** Whether asking again may ask for something else: a fresh token. */
  readonly renewable: boolean
  prepare(cursor: string): Promise<TransportRequest>
  /** It is sent from now on. */
  sent(): void
  /** It was answered. @param location - where the answer can be had again by GET */
  answered(location: string | undefined): void
  /** The app asks for it anew. */
  reset(): void
}

/** @param names - the names of the events, where a contract has them */
export function createRequest(
  url: PerAttempt<string | URL>,
  { method = 'GET', headers, body, credentials = 'same-origin', fetch }: ConnectionOptions,
  names: readonly string[] | undefined,
): SourceRequest {
  let sent = false
  let location: string | undefined

  return {
    get repeatable() {
      return method === 'GET' || !sent || location !== undefined
    },
    renewable: typeof url === 'function' || typeof headers === 'function',
    async prepare(cursor) {
      const resuming = location !== undefined
      return {
        url: String(location ?? (await ask(url))),
        method: resuming ? 'GET' : method,
        headers: (await ask(headers)) ?? {},
        body: resuming ? undefined : body,
        credentials,
        cursor,
        fetch,
        events: names,
      }
    },
    sent() {
      sent = true
    },
    answered(at) {
      if (method !== 'GET') location ??= at
    },
    reset() {
      sent = false
      location = undefined
    },
  }
}

const ask = <T>(value: PerAttempt<T>): T | Promise<T> =>
  typeof value === 'function' ? (value as () => T | Promise<T>)() : value
