import type { AnyEvents } from '@sse/contract'
import { createEventSource } from './event-source.ts'
import type { EventSourceOptions } from './options.ts'
import { withoutSecrets } from './secrets.ts'
import type { TypedEventSource } from './source.ts'

/** The options of {@link shareEventSource}. */
export interface SharedEventSourceOptions<E = AnyEvents> extends EventSourceOptions<E> {
  /** Tells sources of the same url apart, such as those of two sign-ins. @defaultValue none */
  readonly key?: string | undefined
}

interface Shared {
  readonly source: WeakRef<object>
  readonly options: EventSourceOptions<never>
}

/** How many sources that were opened are kept alive. */
const KEPT = 100

/** These sources, the newest last: whether a component that comes back can resume must not depend on the garbage collector. */
const kept = new Set<object>()

/** The sources of the page. Weak, so that a source that was never opened (its render was discarded) can be collected. */
const sources = new Map<string, Shared>()

/**
 * The page's existing source for this url and key, or a new one: all callers share one connection, which closes a moment
 * after the last listener has left. There is nothing to clean up.
 *
 * The options of the first caller are used. If a later one's differ there is a warning, except for what is usually written
 * inline: functions, headers and payloads.
 *
 * @throws TypeError for a request other than GET without a `key`
 */
export function shareEventSource<E = AnyEvents>(
  url: string | URL,
  options: SharedEventSourceOptions<E> = {},
): TypedEventSource<E> {
  if (options.key === undefined && (options.method ?? 'GET') !== 'GET') {
    throw new TypeError(`A ${options.method} request needs a 'key' to be shared.`)
  }
  const key = JSON.stringify([url, options.key])
  const shared = sources.get(key)
  const found = shared?.source.deref()
  if (shared && found) {
    warnOfConflicts(url, shared.options as EventSourceOptions<E>, options)
    return found as TypedEventSource<E>
  }
  const source = createEventSource<E>(url, options)
  // Whatever keeps the connection alive (a socket, a timer) keeps its subscribers, and with this one the source.
  source.subscribe(() => keep(source), { passive: true })
  prune()
  sources.set(key, { source: new WeakRef(source), options: options as EventSourceOptions<never> })
  return source
}

function keep(source: object): void {
  kept.delete(source)
  kept.add(source)
  const [oldest] = kept
  if (oldest && kept.size > KEPT) kept.delete(oldest)
}

/**
 * Removes collected sources up to the first live one, which moves to the end. It does not look at all of them, since `deref`
 * keeps a source alive until the end of the task, and a server that renders pages makes many.
 */
function prune(): void {
  for (const [key, shared] of sources) {
    sources.delete(key)
    if (!shared.source.deref()) continue
    sources.set(key, shared)
    break
  }
}

/** Functions and objects are as a rule written inline and differ each time; these do not. */
const COMPARED = [
  'events',
  'credentials',
  'transport',
  'cursor',
  'linger',
  'maxAttempts',
  'connectTimeout',
  'heartbeat',
  'pauseWhenHidden',
] as const

function warnOfConflicts<E>(
  url: string | URL,
  first: EventSourceOptions<E>,
  second: EventSourceOptions<E>,
): void {
  for (const name of COMPARED) {
    // An option that a later caller leaves out is no conflict.
    if (second[name] === undefined || first[name] === second[name]) continue
    // biome-ignore lint/suspicious/noConsole: a mistake in the app's code, which its author has to see
    console.warn(
      `Two sources of '${withoutSecrets(`${url}`)}' differ in '${name}': the first's is used. Give one a 'key'.`,
    )
  }
}
