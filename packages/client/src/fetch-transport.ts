import { createDecoder } from '@sse/protocol'
import { ConnectionError } from './errors.ts'
import { withoutSecrets } from './secrets.ts'
import type { Transport, TransportHandlers, TransportRequest } from './transport.ts'

const BODY_LIMIT = 4_096
/** How long the body of a refusal is waited for, in milliseconds. */
const BODY_TIME = 1_000

/**
 * Reads the stream with `fetch`: any headers and methods, and the status of a refusal.
 *
 * Redirects are followed by `fetch`, which drops `Authorization` and cookies where they lead to another origin.
 */
export const fetchTransport: Transport = {
  connect(request, handlers) {
    const controller = new AbortController()
    receive(request, handlers, controller.signal).catch((cause: unknown) => {
      // An event that outgrew the decoder is out of its range.
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
  // What spoke of the body of a POST has no place in the GET that resumes it.
  for (const name in sent) if (method === 'GET' && /^content-/i.test(name)) delete sent[name]
  if (cursor) {
    // In another origin's request the header would cost a preflight each time.
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
    // A stream is only taken along with the latter.
    ...(body && { body, duplex: 'half' }),
  })
  const { status } = response
  const get = (name: string): string => response.headers.get(name) ?? ''
  const type = get('content-type')
  if (status !== 200 || !/^text\/event-stream\s*(;|$)/i.test(type)) {
    // Its beginning, if there is one soon: what breaks off or never ends is a refusal all the same.
    const beginning = await Promise.race([
      chunksOf(response)
        .next()
        .catch(() => {}),
      new Promise<void>((late) => setTimeout(late, BODY_TIME)),
    ])
    // Seconds, or a date, by the server's clock where it tells. See https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    const after = get('retry-after')
    const now = Date.parse(get('date')) || Date.now()
    throw new ConnectionError(
      status === 200 ? 'content-type' : 'http',
      `${withoutSecrets(url)} answered ${status} ${type}, no event stream.`,
      {
        status,
        body: new TextDecoder().decode(beginning?.value).slice(0, BODY_LIMIT),
        retryAfter: Math.max(0, Number(after) * 1_000 || Date.parse(after) - now) || undefined,
      },
    )
  }

  // Where the response can be had again. Another origin is not believed, since our headers would go there.
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
    // An app's own fetch may not listen to the signal.
    if (signal.aborted) return
    decoder.feed(chunk)
    handlers.flush(decoder.lastEventId)
  }
  throw new ConnectionError('network', 'Stream ended.')
}

/** Not every browser iterates a body. What is left of it goes with the attempt. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  for (;;) {
    const chunk = await reader?.read()
    if (!chunk?.value) return
    yield chunk.value
  }
}
