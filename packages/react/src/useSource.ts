import {
  createEventSource,
  type EventSourceOptions,
  type SharedEventSourceOptions,
  shareEventSource,
  type TypedEventSource,
} from '@sse/client'
import { useContext, useInsertionEffect, useMemo, useState } from 'react'
import { EventSourceContext, type EventSourceScope } from './EventSourceProvider.tsx'

/** The newest options of one component. They may be inline: they are read at each attempt, and reconnect nothing. */
interface Given extends Pick<EventSourceOptions, 'headers' | 'when'> {
  readonly inherited: EventSourceOptions['headers']
}

/** The options of all components of a source, the newest last. */
interface GivenBy {
  readonly there: Set<Given>
  /** Those of components that are gone, for attempts until another component is there. */
  readonly gone: Set<Given>
}

const givenTo = new WeakMap<object, GivenBy>()

/** The source itself, or the one that the page shares for this url and key; `null` for none. */
export function useSource<E>(
  input: TypedEventSource<E> | string | null | undefined,
  options: SharedEventSourceOptions<E>,
): TypedEventSource<E> | null {
  const scope = useContext(EventSourceContext)
  const [own] = useState<{ id?: string; source?: TypedEventSource<E> }>({})
  const target = typeof input === 'string' ? resolve(input, scope) : input
  const key = identify(options, scope)
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another url, key or source is another one
  const source = useMemo(() => {
    if (typeof target !== 'string') return target ?? null
    // Fast Refresh runs this again, and must get the same source. A shared one is looked up again, which warns if the options
    // have changed; one of the component's own is kept, since a request other than GET must not be sent again.
    const id = target + key
    if (own.id !== id || !isOwn(options, scope))
      Object.assign(own, { id, source: share(target, options, key, scope) })
    return own.source ?? null
  }, [target, key])
  useInsertionEffect(() => {
    // A source that was passed in does not take its options from this component.
    const given = target !== source && source && givenTo.get(source)
    if (!given) return
    const { there, gone } = given
    const { headers, when } = options
    const own: Given = { headers, when, inherited: scope.headers }
    gone.clear()
    there.add(own)
    return () => {
      there.delete(own)
      gone.add(own)
    }
  })
  return source
}

function share<E>(
  url: string,
  options: SharedEventSourceOptions<E>,
  key: string,
  scope: EventSourceScope,
): TypedEventSource<E> {
  const there = new Set<Given>()
  const gone = new Set<Given>()
  /** The newest value from the components that are there, or if there are none, from the last ones. */
  const newest = <K extends keyof Given>(name: K): Given[K] | undefined =>
    [...(there.size > 0 ? there : gone)].filter((one) => one[name]).pop()?.[name]
  const create = isOwn(options, scope) ? createEventSource : shareEventSource
  const source = create(url, {
    ...options,
    key,
    credentials: options.credentials ?? scope.credentials,
    fetch: options.fetch ?? scope.fetch,
    transport: options.transport ?? scope.transport,
    // `Headers` ignores the case of names: given both spellings, fetch would send one header with both values.
    headers: async () =>
      Object.fromEntries([
        ...new Headers(await ask(newest('inherited'))),
        ...new Headers(await ask(newest('headers'))),
      ]),
    when: (error, attempt) => newest('when')?.(error, attempt),
  })
  if (!givenTo.has(source)) givenTo.set(source, { there, gone })
  return source
}

/** Whether a component shares its source with no other. */
const isOwn = <E>(
  { key, method = 'GET' }: SharedEventSourceOptions<E>,
  { scope }: EventSourceScope,
): boolean =>
  // A request other than GET may change something: only its key tells that another component means the same request.
  (key === undefined && method !== 'GET') ||
  // On a server without a provider, nothing tells requests apart: what is rendered for one reader must not reach the next.
  (scope === 0 && typeof window === 'undefined')

/** What must be the same, besides the url, for two components to share a connection, and for one to keep its own. */
const identify = <E>(
  { key, method = 'GET', body }: SharedEventSourceOptions<E>,
  { scope }: EventSourceScope,
): string => JSON.stringify([scope, key ?? (method === 'GET' || [method, String(body)])])

/** As fetch clients do: absolute urls stay as they are, others are appended to the base. */
function resolve(url: string, { baseUrl }: EventSourceScope): string {
  if (baseUrl === undefined || /^([\w+.-]+:)?\/\//.test(url)) return url
  return `${baseUrl.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`
}

type Answer = Exclude<EventSourceOptions['headers'], () => unknown>

const ask = (headers: EventSourceOptions['headers']): Answer | Promise<Answer> =>
  typeof headers === 'function' ? headers() : headers
