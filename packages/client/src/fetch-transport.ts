import { createDecoder, ProtocolError } from '@sse/protocol'
import { ConnectionError } from './errors.ts'
import type { Transport, TransportHandlers, TransportRequest } from './transport.ts'

const BODY_LIMIT = 4_096

/**
 * Reads the stream with `fetch`: any headers and methods, and the status of a refusal.
 *
 * Redirects are followed by `fetch`, which drops `Authorization` and cookies where they lead to another origin.
 */
export const fetchTransport: Transport = {
  connect(request, handlers) {
    const controller = new AbortController()
    receive(request, handlers, controller.signal).catch((cause: unknown) =>
      handlers.end(asConnectionError(cause)),
    )
    return () => controller.abort()
  },
}

async function receive(
  { url, method, headers, body, credentials, cursor, fetch = globalThis.fetch }: TransportRequest,
  handlers: TransportHandlers,
  signal: AbortSignal,
): Promise<void> {
  const target = resolveUrl(url)
  const sent: Record<string, string> = { Accept: 'text/event-stream' }
  for (const [name, value] of Object.entries(headers)) {
    // What spoke of the body of a POST has no place in the GET that resumes it.
    if (method !== 'GET' || !/^content-/i.test(name)) sent[name] = value
  }
  // In another origin's request the header would cost a preflight each time.
  if (cursor !== '' && isCrossOrigin(target)) target.searchParams.set('lastEventId', cursor)
  else if (cursor !== '') sent['Last-Event-ID'] = encodeUtf8(cursor)
  const response = await fetch(target.href, {
    method,
    headers: sent,
    credentials,
    signal,
    cache: 'no-store',
    body: body ?? null,
  })
  await accept(response)
  handlers.open(contentLocation(response, target))
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
  throw new ConnectionError('network', 'The server ended the stream.')
}

/** Not every browser iterates a body. What is left of it goes with the attempt. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  for (;;) {
    const chunk = await reader?.read()
    if (chunk?.value === undefined) return
    yield chunk.value
  }
}

/**
 * Where the response can be had again. Another origin is not believed, since our headers would go there.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.content-location
 */
function contentLocation({ headers }: Response, { href, origin }: URL): string | undefined {
  const value = headers.get('content-location')
  const location = value !== null && URL.canParse(value, href) ? new URL(value, href) : undefined
  return location?.origin === origin ? location.href : undefined
}

/** Lets an event stream pass and throws what else a response can be. */
async function accept(response: Response): Promise<void> {
  const { status, headers } = response
  if (status !== 200) {
    throw new ConnectionError('http', `The server answered ${status}.`, {
      status,
      body: await beginningOf(response),
      retryAfter: parseRetryAfter(headers.get('retry-after')),
    })
  }
  const type = headers.get('content-type') ?? ''
  if (!/^text\/event-stream\s*(;|$)/i.test(type)) {
    throw new ConnectionError('content-type', `Expected text/event-stream, got '${type}': wrong url?`, {
      status,
    })
  }
}

async function beginningOf(response: Response): Promise<string> {
  const utf8 = new TextDecoder()
  let text = ''
  for await (const chunk of chunksOf(response)) {
    text += utf8.decode(chunk, { stream: true })
    if (text.length >= BODY_LIMIT) break
  }
  return text.slice(0, BODY_LIMIT)
}

/** Seconds or a date. @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function parseRetryAfter(value: string | null): number | undefined {
  const milliseconds = Number(value) * 1_000 || Date.parse(String(value)) - Date.now()
  return milliseconds > 0 ? milliseconds : undefined
}

function asConnectionError(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause
  if (cause instanceof ProtocolError) return new ConnectionError('overflow', cause.message, { cause })
  return new ConnectionError('network', 'The connection failed or broke.', { cause })
}

function resolveUrl(url: string): URL {
  try {
    return new URL(url, globalThis.location?.href)
  } catch (cause) {
    throw new ConnectionError('network', `Outside of a page a url must be absolute: ${url}`, { cause })
  }
}

const isCrossOrigin = (url: URL): boolean =>
  globalThis.location !== undefined && globalThis.location.origin !== url.origin

/** Header values are byte strings. @see https://html.spec.whatwg.org/multipage/server-sent-events.html#last-event-id */
const encodeUtf8 = (value: string): string => String.fromCharCode(...new TextEncoder().encode(value))
