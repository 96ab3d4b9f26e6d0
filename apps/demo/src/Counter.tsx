import type { EventPayload } from '@sse/react'
import type { events } from '../shared/events.ts'
import { Numeral } from './Numeral.tsx'

interface CounterProps {
  readonly counter: EventPayload<typeof events, 'counter'> | undefined
  readonly onCount: (by: 1 | -1) => void
}

/** The number that all visitors count together. */
export function Counter({ counter, onCount }: CounterProps) {
  return (
    <section className="cell counter" aria-labelledby="counter-title">
      <h2 id="counter-title" className="label">
        Shared counter
      </h2>
      <p className="counter-value">
        {counter === undefined ? <span className="counter-blank" /> : <Numeral value={counter.value} />}
        <span className="unseen" data-testid="count">
          {counter?.value ?? 'not known yet'}
        </span>
      </p>
      <p className="hint">{counter?.by ? `Last counted by ${counter.by}` : 'Nobody has counted yet'}</p>
      <div className="counter-keys">
        <button type="button" className="key" onClick={() => onCount(-1)} aria-label="Count down">
          −1
        </button>
        <button type="button" className="key key-main" onClick={() => onCount(1)} aria-label="Count up">
          +1
        </button>
      </div>
    </section>
  )
}
