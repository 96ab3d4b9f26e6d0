import type { ControlName } from '@sse/protocol'
import { ConnectionError } from './errors.ts'
import type { Transport } from './transport.ts'

const CONTROL: readonly ControlName[] = ['sse.open', 'sse.gap', 'sse.live', 'sse.remove', 'sse.close']

/**
 * Reads the stream with the browser's own `EventSource`, which its network tools show. It can send neither headers nor a
 * body, receives only events that a contract names (without one, `message`), and does not tell why it was refused: so every failed
 * connection is retried.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
 */
export const nativeTransport: Transport = {
  connect({ url, method, headers, credentials, cursor, events }, handlers) {
    if (method !== 'GET' || Object.keys(headers)[0]) {
      // A retry would fail in the same way, so this is final.
      const mistake = 'A native EventSource sends neither headers nor a body: use the fetch transport.'
      handlers.end(new ConnectionError('contract', mistake))
      return () => {}
    }
    const target = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href)
    // A new EventSource has no last event id to send.
    if (cursor) target.searchParams.set('lastEventId', cursor)
    const source = new EventSource(target, { withCredentials: credentials === 'include' })
    // A server may send events named `open` and `error`, which arrive here as messages.
    source.onopen = (event) => {
      if (!(event instanceof MessageEvent)) handlers.open()
    }
    source.onerror = (event) => {
      if (event instanceof MessageEvent) return
      // It would reconnect by itself, but without backoff and without saying so.
      source.close()
      handlers.end(new ConnectionError('network', 'The connection failed, broke or was refused.'))
    }
    for (const name of [...CONTROL, ...(events ?? ['message'])]) {
      source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        // Not every EventSource package repeats the last event id for an event without one.
        cursor = lastEventId || cursor
        handlers.event({ event: name, data, id: cursor })
        handlers.flush(cursor)
      })
    }
    return () => source.close()
  },
}
