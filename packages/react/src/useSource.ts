import {
  createEventSource,
  type EventSourceOptions,
  type SharedEventSourceOptions,
  shareEventSource,
  type TypedEventSource,
} from '@sse/client'
import { useContext, useInsertionEffect, useMemo } from 'react'
import { EventSourceContext, type EventSourceScope } from './EventSourceProvider.tsx'

/** What may be written anew in every render: it is asked for at each attempt, so that it never reconnects anything. */
type Settings = {
  inherited: EventSourceOptions['headers']
  headers: EventSourceOptions['headers']
  when: EventSourceOptions['when']
}

/** By source, the settings that its components gave last. */
const settingsOf = new WeakMap<object, Settings>()

/** The source itself, or the one that the page shares for this url or key; `null` for none. */
export function useSource<E>(
  input: TypedEventSource<E> | string | null | undefined,
  options: SharedEventSourceOptions<E>,
): TypedEventSource<E> | null {
  const scope = useContext(EventSourceContext)
  const identity = typeof input === 'string' ? identify(input, options, scope) : (input ?? null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another identity is another source
  const source = useMemo(
    () => (typeof input === 'string' ? share(input, options, scope) : (input ?? null)),
    [identity],
  )
  useInsertionEffect(() => {
    const settings = source === null ? undefined : settingsOf.get(source)
    if (settings === undefined) return
    settings.inherited = scope.headers
    settings.headers = options.headers ?? settings.headers
    settings.when = options.when ?? settings.when
  })
  return source
}

function share<E>(
  url: string,
  options: SharedEventSourceOptions<E>,
  scope: EventSourceScope,
): TypedEventSource<E> {
  const settings: Settings = { inherited: scope.headers, headers: options.headers, when: options.when }
  const { credentials = scope.credentials, fetch = scope.fetch, transport = scope.transport } = options
  const complete: SharedEventSourceOptions<E> = {
    ...options,
    key: identify(url, options, scope),
    credentials,
    fetch,
    transport,
    headers: async () => ({ ...(await ask(settings.inherited)), ...(await ask(settings.headers)) }),
    when: (error, attempt) => settings.when?.(error, attempt),
  }
  // A request that is not GET may change something: only its key tells that another's is the same one.
  const own = (options.method ?? 'GET') !== 'GET' && options.key === undefined
  const obtain = own ? createEventSource<E> : shareEventSource<E>
  const source = obtain(resolve(url, scope.baseUrl), complete)
  if (!settingsOf.has(source)) settingsOf.set(source, settings)
  return source
}

/** What has to be the same for two components to share a connection. */
function identify<E>(
  url: string,
  { key, method = 'GET', body }: SharedEventSourceOptions<E>,
  { scope, baseUrl }: EventSourceScope,
): string {
  return JSON.stringify([scope, key ?? [method, resolve(url, baseUrl), typeof body === 'string' ? body : '']])
}

/** As fetch clients do it: absolute urls stay, others are appended to the base. */
function resolve(url: string, baseUrl: string | undefined): string {
  if (baseUrl === undefined || /^([a-z][a-z\d+.-]*:)?\/\//i.test(url)) return url
  return `${baseUrl.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`
}

const ask = (headers: EventSourceOptions['headers']): ReturnType<Extract<typeof headers, () => unknown>> =>
  typeof headers === 'function' ? headers() : (headers ?? {})
