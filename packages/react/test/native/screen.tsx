import type { ReactElement } from 'react'
import { create } from 'react-test-renderer'
import { expect, onTestFinished, vi } from 'vitest'
import { useCountdown, useEventReducer, useEventSource, useLatest } from '../../src/index.ts'
import { events } from '../contract.ts'

/** Shows what there is of the stream at `/events`. */
export function Screen({ seen }: { readonly seen?: (title: string) => void }) {
  const { status, latest, retryAt, cause, source } = useEventSource('/events', {
    events,
    on: { notification: ({ title }) => seen?.(title) },
  })
  const count = useEventReducer(source, { initial: 0, reduce: { notification: (sum) => sum + 1 } })
  const price = useLatest(source, 'quote', (quotes) => quotes?.A?.price)
  const seconds = useCountdown(retryAt)
  return [status, cause, latest.counter?.value, count, price, seconds > 0 && 'soon'].filter(Boolean).join(' ')
}

/** Renders without a DOM. */
export function render(element: ReactElement) {
  const root = create(element)
  const unmount = () => root.unmount()
  onTestFinished(unmount)
  const shows = (text: string) => vi.waitFor(() => expect(root.toJSON()).toBe(text), 10_000)
  return { shows, unmount }
}
