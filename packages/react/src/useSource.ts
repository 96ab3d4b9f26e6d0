import {
  createEventSource,
  type EventSourceOptions,
  type SharedEventSourceOptions,
  shareEventSource,
  type TypedEventSource,
} from '@sse/client'
import { useContext, useInsertionEffect, useMemo, useState } from 'react'
import { EventSourceContext, type EventSourceScope } from './EventSourceProvider.tsx'

/** What may be written anew in every render: it is asked for at each attempt, so that it never reconnects anything. */
interface Settings {
  inherited?: EventSourceOptions['headers']
  headers?: EventSourceOptions['headers']
  when?: EventSourceOptions['when']
}

/** By source, the settings that its components gave last. */
const settingsOf = new WeakMap<object, Settings>()

/** What one component gave. */
interface Given extends Pick<Settings, 'headers' | 'when'> {
  readonly component: number
}

let components = 0

/** The source itself, or the one that the page shares for this url and key; `null` for none. */
export function useSource<E>(
  input: TypedEventSource<E> | string | null | undefined,
  options: SharedEventSourceOptions<E>,
): TypedEventSource<E> | null {
  const scope = useContext(EventSourceContext)
  const [given] = useState((): Given => ({ component: ++components }))
  const target = typeof input === 'string' ? resolve(input, scope) : input
  const key = identify(options, scope, given.component)
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another url, key or source is another one
  const source = useMemo(
    () => (typeof target === 'string' ? share(target, { ...options, key }, scope) : (target ?? null)),
    [target, key],
  )
  useInsertionEffect(() => {
    // A source that was given is another scope's, if it is any scope's.
    const settings = target !== source && source && settingsOf.get(source)
    if (!settings) return
    settings.inherited = scope.headers
    const { headers, when } = options
    settings.headers = headers ?? without(given.headers, settings.headers)
    settings.when = when ?? without(given.when, settings.when)
    Object.assign(given, { headers, when })
  })
  return source
}

function share<E>(
  url: string,
  options: SharedEventSourceOptions<E>,
  scope: EventSourceScope,
): TypedEventSource<E> {
  const settings: Settings = {}
  // Without a provider nothing tells one request on a server from another: what is rendered for one reader is not for the next.
  const create = scope.scope === 0 && typeof window === 'undefined' ? createEventSource : shareEventSource
  const source = create(url, {
    ...options,
    credentials: options.credentials ?? scope.credentials,
    fetch: options.fetch ?? scope.fetch,
    transport: options.transport ?? scope.transport,
    // Their names are the same in any case, which fetch would send as one header with both values.
    headers: async () =>
      Object.fromEntries([
        ...new Headers(await ask(settings.inherited)),
        ...new Headers(await ask(settings.headers)),
      ]),
    when: (error, attempt) => settings.when?.(error, attempt),
  })
  if (!settingsOf.has(source)) settingsOf.set(source, settings)
  return source
}

/**
 * What has to be the same, beside the url, for two components to share a connection. A request that is not GET may change
 * something: only its key tells that another component's is the same one.
 */
function identify<E>(
  { key, method = 'GET', body }: SharedEventSourceOptions<E>,
  { scope }: EventSourceScope,
  component: number,
): string {
  return JSON.stringify([scope, key ?? (method === 'GET' || [method, String(body), component])])
}

/** As fetch clients do it: absolute urls stay, others are appended to the base. */
function resolve(url: string, { baseUrl }: EventSourceScope): string {
  if (baseUrl === undefined || /^([\w+.-]+:)?\/\//.test(url)) return url
  return `${baseUrl.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`
}

/** What is there, unless the component takes it back that gave it. */
const without = <T>(own: T | undefined, current: T | undefined): T | undefined =>
  current === own ? undefined : current

type Answer = Exclude<EventSourceOptions['headers'], () => unknown>

const ask = (headers: EventSourceOptions['headers']): Answer | Promise<Answer> =>
  typeof headers === 'function' ? headers() : headers
