import { type TypedEventSource, useEventReducer, useEventSource } from '@sse/react'
import type { events } from '../shared/events.ts'
import type { ServerName } from '../shared/servers.ts'
import { announced, emptyTally, tallyWords, ticked } from './tally.ts'

interface ServersProps {
  readonly source: TypedEventSource<typeof events>
  readonly onKill: (server: ServerName) => void
}

/** Which of several servers the stream is on, whether all ticks have arrived, and a button that kills the server. Empty for a single server. */
export function Servers({ source, onKill }: ServersProps) {
  const { status, latest } = useEventSource(source)
  const tally = useEventReducer(source, {
    initial: emptyTally,
    reduce: { tick: ticked },
    onGap: announced,
  })
  if (latest.fleet === undefined || latest.server === undefined) return null

  const mine = latest.server.name
  const open = status === 'open'
  return (
    <section className="servers" aria-labelledby="servers-title">
      <h2 id="servers-title" className="label">
        Servers
      </h2>
      <ul className="fleet">
        {latest.fleet.servers.map(({ name, up }) => {
          const standing = name === mine ? (open ? 'your stream' : 'lost') : up ? 'up' : 'down'
          return (
            <li key={name} className="server" data-standing={standing}>
              <span className="server-name">{name}</span>
              <span className="server-note">{standing}</span>
            </li>
          )
        })}
      </ul>
      <p className="tally" data-whole={tally.missing + tally.doubled === 0}>
        <strong>{tally.received}</strong> ticks received: <span data-testid="tally">{tallyWords(tally)}</span>
      </p>
      <button type="button" className="key key-cut" disabled={!open} onClick={() => onKill(mine)}>
        {open ? `Kill server ${mine}` : 'Moving'}
      </button>
    </section>
  )
}
