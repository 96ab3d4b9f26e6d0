import { type RenderResult, render } from '@testing-library/react'
import { Profiler, type ReactElement, type ReactNode } from 'react'

/** What is on the page, and how often React committed something of it. */
export interface Mounted extends RenderResult {
  readonly commits: number
}

/** Renders with a count of commits, which StrictMode does not double. */
export function mount(
  element: ReactElement,
  { strict = false }: { readonly strict?: boolean } = {},
): Mounted {
  let commits = 0
  const count = (): void => {
    commits += 1
  }
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <Profiler id="test" onRender={count}>
      {children}
    </Profiler>
  )
  const result = render(element, { wrapper, reactStrictMode: strict })
  return {
    ...result,
    get commits() {
      return commits
    },
  }
}
