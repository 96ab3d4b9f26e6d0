import { createDecoder } from '@sse/protocol'
import { ConnectionError } from './errors.ts'
import { withoutSecrets } from './secrets.ts'
import type { Transport, TransportHandlers, TransportRequest } from './transport.ts'

const BODY_LIMIT = 4_096
/** How long to wait for the body of a refusal, in milliseconds. */
const BODY_TIME = 1_000
/** How much of a `Retry-After` counts, in milliseconds: to be rid of a client, a server answers 204 or 403. */
const LONGEST_HOLD = 3_600_000

/**
 * Reads the stream with `fetch`: any headers and methods, and the status of a refusal.
 *
 * Redirects are followed by `fetch`, which drops `Authorization` and cookies where they lead to another origin.
 */
export const fetchTransport: Transport = {
  connect(request, handlers) {
    const controller = new AbortController()
    receive(request, handlers, controller.signal).catch((cause: unknown) => {
      // The decoder throws a RangeError for an event that is too long.
      handlers.end(
        cause instanceof ConnectionError
          ? cause
          : new ConnectionError(
              cause instanceof RangeError ? 'overflow' : 'network',
              `${withoutSecrets(request.url)}: ${withoutSecrets(`${cause}`)}`,
              { cause },
            ),
      )
    })
    return () => controller.abort()
  },
}

async function receive(
  { url, method, headers, body, credentials, cursor, fetch = globalThis.fetch }: TransportRequest,
  handlers: TransportHandlers,
  signal: AbortSignal,
): Promise<void> {
  const page = globalThis.location
  const target = new URL(url, globalThis.document?.baseURI ?? page?.href)
  const sent: Record<string, string> = { Accept: 'text/event-stream', ...headers }
  // Headers that describe the body of a POST do not belong in the GET that resumes it.
  for (const name in sent) if (method === 'GET' && /^content-/i.test(name)) delete sent[name]
  if (cursor) {
    // In a cross-origin request, the header would cost a preflight each time.
    if (page && page.origin !== target.origin) target.searchParams.set('lastEventId', cursor)
    // Header values are byte strings. See https://html.spec.whatwg.org/multipage/server-sent-events.html#last-event-id
    else sent['Last-Event-ID'] = String.fromCharCode(...new TextEncoder().encode(cursor))
  }

  const response = await fetch(target.href, {
    method,
    headers: sent,
    ...(credentials && { credentials }),
    signal,
    cache: 'no-store',
    // `fetch` accepts a stream as body only with `duplex`.
    ...(body && { body, duplex: 'half' }),
  })
  const { status } = response
  const get = (name: string): string => response.headers.get(name) ?? ''
  const type = get('content-type')
  if (status !== 200 || !/^text\/event-stream\s*(;|$)/i.test(type)) {
    // The beginning of the body, if it comes soon: a body that breaks off or never ends is a refusal all the same.
    const beginning = await Promise.race([
      chunksOf(response)
        .next()
        .catch(() => {}),
      new Promise<void>((late) => setTimeout(late, BODY_TIME)),
    ])
    // Seconds, or a date, compared with the server's clock if the response has its time. See https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    const after = get('retry-after')
    const now = Date.parse(get('date')) || Date.now()
    throw new ConnectionError(
      status === 200 ? 'content-type' : 'http',
      `${withoutSecrets(url)} answered ${status} ${type}, no event stream.`,
      {
        status,
        body: new TextDecoder().decode(beginning?.value).slice(0, BODY_LIMIT),
        retryAfter:
          Math.max(0, Math.min(Number(after) * 1_000 || Date.parse(after) - now, LONGEST_HOLD)) || undefined,
      },
    )
  }

  // Where the response can be resumed. Another origin is ignored, since our headers would be sent there.
  // See https://www.rfc-editor.org/rfc/rfc9110#field.content-location
  const location = method === 'GET' ? '' : get('content-location')
  const here = new URL(location, response.url || target)
  handlers.open(location && here.origin === target.origin ? here.href : undefined)
  const decoder = createDecoder({
    lastEventId: cursor,
    onEvent: handlers.event,
    onRetry: handlers.retry,
  })
  for await (const chunk of chunksOf(response)) {
    // An app's own fetch may ignore the signal.
    if (signal.aborted) return
    decoder.feed(chunk)
    handlers.flush(decoder.lastEventId)
  }
  throw new ConnectionError('network', 'Stream ended.')
}

/** Reads a body by hand, since not every browser can iterate it. What is left of it is cancelled with the attempt. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  for (;;) {
    const chunk = await reader?.read()
    if (!chunk?.value) return
    yield chunk.value
  }
}
