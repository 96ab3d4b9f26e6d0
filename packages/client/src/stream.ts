import { type DecodedEvent, decodeControl, isControl } from '@sse/protocol'
import { ConnectionError } from './errors.ts'
import type { Resync } from './source.ts'
import type { Continuity } from './state.ts'

const UNKNOWN: Resync = { reason: 'unknown', channels: [] }

/** What the source is told of a stream. */
export interface StreamHooks {
  event(event: DecodedEvent, replayed: boolean): void
  remove(event: string, key: string): void
  resync(resync: Resync): void
  error(error: ConnectionError): void
}

/** The stream of one attempt, as it is received. */
export interface Stream {
  /** Takes it for open without a word from the server, which then isn't ours and does not say what is missing. */
  presume(heartbeat: number): void
  /** Obeys an event of the library's own, and passes any other on. */
  event(event: DecodedEvent): void
}

/**
 * Reads one stream: obeys its control events, and judges how it continues what was received before it.
 *
 * @param had - whether there was a stream, or a rendered page, that could have gone on in the meantime
 * @param assess - opens the connection, or changes its continuity, and its heartbeat if one is given; returns whether it is
 * still open after its listeners have heard of it
 * @param close - closes the connection for good
 */
export function createStream(
  had: boolean,
  hooks: StreamHooks,
  assess: (continuity: Continuity, heartbeat?: number) => boolean,
  close: (by: 'server', reason: string) => void,
): Stream {
  let replaying = false
  /** Whether the stream did not resume, and the server has not said yet what is missing. */
  let owed = false

  function settle(): void {
    if (owed) hooks.resync(UNKNOWN)
    owed = false
  }

  function obey({ event, data, id }: DecodedEvent): void {
    const control = decodeControl(event, data)
    switch (control?.event) {
      case 'sse.open': {
        const { resumed, heartbeat } = control.data
        replaying = true
        owed = had && !resumed
        const open = assess(resumed ? 'resumed' : had ? 'gap' : 'fresh', heartbeat)
        // Without a cursor, the server cannot tell what is missing.
        if (open && !id) settle()
        break
      }
      case 'sse.gap':
        owed = false
        assess('gap')
        hooks.resync(control.data)
        break
      case 'sse.live':
        settle()
        replaying = false
        break
      case 'sse.remove':
        hooks.remove(control.data.event, control.data.key)
        break
      case 'sse.close':
        close('server', control.data.reason)
    }
  }

  return {
    presume(heartbeat) {
      if (assess('gap', heartbeat)) hooks.resync(UNKNOWN)
    },
    event(event) {
      if (!isControl(event.event)) {
        hooks.event(event, replaying)
        return
      }
      try {
        obey(event)
      } catch (cause) {
        hooks.error(new ConnectionError('contract', `${cause}`, { cause }))
      }
    },
  }
}
