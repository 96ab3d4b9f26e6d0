import { createEventSource, useEventSource } from '@sse/react'
import { events } from './events.mjs'

const live = createEventSource('/events', { events })

export function Page() {
  const { status, latest } = useEventSource(live, {
    on: { headline: (headline) => document.write(headline.title) },
  })
  const value: number | undefined = latest.counter?.value
  // @ts-expect-error an event that nobody defined
  latest.counters
  return (
    <p>
      {status}: {value}
    </p>
  )
}
