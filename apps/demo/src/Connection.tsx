import { type TypedEventSource, useCountdown, useEventSource } from '@sse/react'
import type { events } from '../shared/events.ts'
import { connectionWords } from './connectionWords.ts'

interface ConnectionProps {
  readonly source: TypedEventSource<typeof events>
  readonly onCut: () => void
}

/** The state of the connection, and the button that cuts it. */
export function Connection({ source, onCut }: ConnectionProps) {
  const state = useEventSource(source)
  const seconds = useCountdown(state.retryAt)
  const { title, detail } = connectionWords(state, seconds)
  const open = state.status === 'open'
  return (
    <section className="connection" aria-labelledby="connection-title" data-status={state.status}>
      <h2 id="connection-title" className="label">
        Connection
      </h2>
      <p className="connection-state">
        <span className="lamp" aria-hidden="true" />
        {/* Only the title is read out: the countdown would speak every second. */}
        <strong role="status" data-testid="connection">
          {title}
        </strong>
      </p>
      <p className="connection-detail" data-testid="connection-detail">
        {detail}
      </p>
      {open ? (
        <button
          type="button"
          className="key key-cut"
          // The second half of a double click was meant for what stood here before.
          onClick={({ detail }) => detail < 2 && onCut()}
        >
          Cut my connection
        </button>
      ) : (
        <button type="button" className="key" onClick={state.reconnect}>
          Try now
        </button>
      )}
    </section>
  )
}
