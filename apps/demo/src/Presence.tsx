import type { EventPayload } from '@sse/react'
import type { events } from '../shared/events.ts'

interface PresenceProps {
  readonly presence: EventPayload<typeof events, 'presence'> | undefined
  /** The name of this visitor. */
  readonly me: string
}

/** How many visitors are here, and who. */
export function Presence({ presence, me }: PresenceProps) {
  const visitors = presence?.visitors ?? []
  return (
    <section className="presence" aria-labelledby="presence-title">
      <h2 id="presence-title" className="presence-count">
        <span data-testid="here">{presence?.here ?? '–'}</span> here
      </h2>
      <ul className="names">
        {visitors.map(({ name, away }) => (
          <li key={name} className="name" data-away={away}>
            {name}
            {name === me && <span className="name-note">you</span>}
            {away && <span className="name-note">away</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}
