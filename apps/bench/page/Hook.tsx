import { useEventSource } from '@sse/react'
import { counts } from './counts.ts'

/** The newest event by `useEventSource`, which counts each of them. */
export function Hook(): React.ReactNode {
  const { latest } = useEventSource<{ news: { text: string } }>('/events', {
    on: {
      news() {
        counts.events += 1
      },
    },
  })
  counts.renders += 1
  return <output>{latest.news?.text}</output>
}
