import type { EventSourceOptions } from '@sse/client'
import { createContext, type JSX, type ReactNode, useContext, useMemo, useState } from 'react'

/** What the hooks below a provider take where they say nothing themselves. */
export interface EventSourceDefaults
  extends Pick<EventSourceOptions, 'credentials' | 'fetch' | 'headers' | 'transport'> {
  /** Put in front of every url that is not absolute. @defaultValue none */
  readonly baseUrl?: string | undefined
}

export interface EventSourceProviderProps extends EventSourceDefaults {
  readonly children?: ReactNode
}

/** Sources are shared within a scope, so that one provider's transport and credentials never serve another's url. */
export interface EventSourceScope extends EventSourceDefaults {
  readonly scope: number
}

export const EventSourceContext: React.Context<EventSourceScope> = createContext<EventSourceScope>({
  scope: 0,
})

let scopes = 0

/**
 * Sets the base url, headers and transport of the hooks below that are given a url. Headers of the hooks' own are added to
 * the provider's. Inline values are fine: nothing reconnects. Of a provider above it takes the transport alone, so that
 * what surrounds an app in a test serves all of it.
 *
 * @example
 * <EventSourceProvider baseUrl="https://api.example.com" headers={async () => ({ authorization: await token() })}>
 *   <App />
 * </EventSourceProvider>
 */
export function EventSourceProvider({ children, ...defaults }: EventSourceProviderProps): JSX.Element {
  const [scope] = useState(() => ++scopes)
  const outer = useContext(EventSourceContext)
  const { baseUrl, credentials, fetch, headers, transport = outer.transport } = defaults
  const value = useMemo(
    () => ({ scope, baseUrl, credentials, fetch, headers, transport }),
    [scope, baseUrl, credentials, fetch, headers, transport],
  )
  return <EventSourceContext.Provider value={value}>{children}</EventSourceContext.Provider>
}
