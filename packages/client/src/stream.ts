import { type DecodedEvent, decodeControl, isControl } from '@sse/protocol'
import type { Clock } from './clock.ts'
import { ConnectionError } from './errors.ts'
import type { Resync } from './source.ts'
import type { Continuity } from './state.ts'
import { createWatchdog } from './watchdog.ts'

/** How long a server may take after its headers to say whether it resumes, in milliseconds. */
const JUDGEMENT = 1_000

const UNKNOWN: Resync = { reason: 'unknown', channels: [] }

/** What the events of a stream come to. */
export interface StreamHooks {
  /** The stream is open, or its continuity is another than was said. */
  opened(continuity: Continuity): void
  event(event: DecodedEvent, replayed: boolean): void
  remove(event: string, key: string): void
  resync(resync: Resync): void
  close(reason: string): void
  error(error: ConnectionError): void
  stale(): void
  lost(error: ConnectionError): void
}

export interface StreamOptions {
  readonly clock: Clock
  /** As {@link EventSourceOptions.heartbeat}. */
  readonly heartbeat: number
  /** Whether something was heard before, of which this may be the continuation. */
  readonly begun: boolean
  /** Whose stream it is. */
  readonly attempt: { readonly alive: boolean } | undefined
  /** Sets the one timer of the connection. */
  readonly after: (milliseconds: number, callback: () => void) => void
}

/** One stream: follows its control events, and judges what it is to what was heard before. */
export interface Stream {
  /** Whether something was heard that a later stream has to continue. */
  readonly begun: boolean
  accept(): void
  event(event: DecodedEvent): void
  heard(): void
  wake(): void
}

export function createStream(
  { clock, heartbeat, begun: had, attempt, after }: StreamOptions,
  hooks: StreamHooks,
): Stream {
  let begun = had
  let opened = false
  /** Whether the server has spoken as ours do. */
  let ours = false
  let replaying = false
  /** It did not resume, and has not said yet what is missing. */
  let owed = false

  const watchdog = createWatchdog(clock, {
    after,
    stale: hooks.stale,
    lost: (quiet) => hooks.lost(new ConnectionError('stale', `Silent for ${quiet} ms.`)),
  })

  function open(continuity: Continuity, interval: number): void {
    opened = true
    hooks.opened(continuity)
    if (attempt?.alive) watchdog.expect(interval)
  }

  /** A server that isn't ours does not say whether something is missing. */
  function openUnsure(): void {
    open('gap', heartbeat)
    if (attempt?.alive) hooks.resync(UNKNOWN)
  }

  function obey(event: DecodedEvent): void {
    const control = decodeControl(event.event, event.data)
    switch (control?.event) {
      case 'sse.open': {
        const { resumed } = control.data
        ours = true
        replaying = true
        begun = had
        owed = had && !resumed
        open(resumed ? 'resumed' : had ? 'gap' : 'fresh', control.data.heartbeat)
        break
      }
      case 'sse.gap':
        owed = false
        hooks.opened('gap')
        hooks.resync(control.data)
        break
      case 'sse.live':
        replaying = false
        if (owed) hooks.resync(UNKNOWN)
        owed = false
        break
      case 'sse.remove':
        hooks.remove(control.data.event, control.data.key)
        break
      case 'sse.close':
        hooks.close(control.data.reason)
    }
  }

  return {
    get begun() {
      return begun
    },
    accept() {
      // Continuity is judged before the stream is said to be open, so that nobody sees it change.
      if (had) after(JUDGEMENT, openUnsure)
      else open('fresh', heartbeat)
    },
    event(event) {
      if (isControl(event.event)) {
        try {
          obey(event)
        } catch (cause) {
          hooks.error(new ConnectionError('contract', String(cause), { cause }))
        }
        return
      }
      if (!opened) openUnsure()
      if (!attempt?.alive) return
      begun = true
      hooks.event(event, replaying)
    },
    heard() {
      begun ||= !ours
      watchdog.heard()
    },
    wake: watchdog.wake,
  }
}
