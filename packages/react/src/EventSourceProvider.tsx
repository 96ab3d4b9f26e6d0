import type { EventSourceOptions } from '@sse/client'
import { createContext, type JSX, type ReactNode, useContext, useMemo, useState } from 'react'

/** The defaults of the hooks below a provider. */
export interface EventSourceDefaults
  extends Pick<EventSourceOptions, 'credentials' | 'fetch' | 'headers' | 'transport'> {
  /** Prepended to every url that is not absolute. @defaultValue none */
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
 * Sets the base url, headers, credentials, fetch and transport of the hooks below it that are given a url. A hook's own
 * headers are added to the provider's. Inline values are fine: nothing reconnects. From a provider above, it inherits only
 * the transport, so that a provider around an app in a test serves all of the app.
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
