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
    const { signal } = controller
    read(request, handlers, signal).catch((cause: unknown) => {
      if (!signal.aborted) handlers.end(asConnectionError(cause))
    })
    return () => controller.abort()
  },
}

async function read(
  request: TransportRequest,
  handlers: TransportHandlers,
  signal: AbortSignal,
): Promise<void> {
  const { method, headers, body, credentials, cursor } = request
  const url = resolveUrl(request.url)
  const sent: Record<string, string> = { Accept: 'text/event-stream' }
  for (const [name, value] of Object.entries(headers)) {
    // What spoke of the body of a POST has no place in the GET that resumes it.
    if (method !== 'GET' || !/^content-/i.test(name)) sent[name] = value
  }
  // In another origin's request the header would cost a preflight each time.
  if (cursor !== '' && isCrossOrigin(url)) url.searchParams.set('lastEventId', cursor)
  else if (cursor !== '') sent['Last-Event-ID'] = encodeUtf8(cursor)
  const response = await (request.fetch ?? fetch)(url.href, {
    method,
    headers: sent,
    credentials,
    signal,
    cache: 'no-store',
    ...(body === undefined ? {} : { body }),
  })
  if (signal.aborted) return
  await accept(response)
  if (signal.aborted) return
  handlers.open(contentLocation(response, url))
  const decoder = createDecoder({
    lastEventId: cursor,
    onEvent: handlers.event,
    onRetry: handlers.retry,
  })
  const reader = response.body?.getReader()
  for (;;) {
    const chunk = await reader?.read()
    if (signal.aborted) return
    if (chunk?.value === undefined) throw new ConnectionError('network', 'The server ended the stream.')
    decoder.feed(chunk.value)
    handlers.flush(decoder.lastEventId)
  }
}

/**
 * Where the response can be had again. Another origin is not believed, since our headers would go there.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.content-location
 */
function contentLocation(response: Response, { href, origin }: URL): string | undefined {
  const value = response.headers.get('content-location')
  const location = value !== null && URL.canParse(value, href) ? new URL(value, href) : undefined
  return location?.origin === origin ? location.href : undefined
}

/** Lets an event stream pass and throws what else a response can be. */
async function accept(response: Response): Promise<void> {
  const { status } = response
  const type = response.headers.get('content-type') ?? ''
  if (status === 200 && /^text\/event-stream\s*(;|$)/i.test(type)) return
  const body = status === 200 ? undefined : await beginning(response)
  if (status === 200) response.body?.cancel().catch(() => {})
  if (status === 200) {
    throw new ConnectionError(
      'content-type',
      `The response is ${type === '' ? 'of no type' : type}, not text/event-stream: is this the url of the stream?`,
      { status },
    )
  }
  throw new ConnectionError('http', `The server answered ${status}.`, {
    status,
    body,
    retryAfter: parseRetryAfter(response.headers.get('retry-after')),
  })
}

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  const utf8 = new TextDecoder()
  let text = ''
  while (reader !== undefined && text.length < BODY_LIMIT) {
    const { value } = await reader.read()
    if (value === undefined) return text
    text += utf8.decode(value, { stream: true })
  }
  reader?.cancel().catch(() => {})
  return text.slice(0, BODY_LIMIT)
}

/** Seconds or a date. @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
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
    throw new ConnectionError('network', `${url} is no url here: outside of a page it must be absolute.`, {
      cause,
    })
  }
}

const isCrossOrigin = (url: URL): boolean =>
  globalThis.location !== undefined && globalThis.location.origin !== url.origin

/** Header values are byte strings. @see https://html.spec.whatwg.org/multipage/server-sent-events.html#last-event-id */
const encodeUtf8 = (value: string): string => String.fromCharCode(...new TextEncoder().encode(value))
