import type { IncomingMessage } from 'node:http'
import { look } from './look.ts'

/**
 * The last event id that a reader sends: the header, else the query parameter `lastEventId`, which needs no preflight.
 * Hostile input.
 */
export function readLastEventId(request: Pick<IncomingMessage, 'headers' | 'url'>): string | undefined {
  const header = look(request, 'headers')['last-event-id']
  if (typeof header === 'string' && header !== '') return header
  const url = look(request, 'url')
  const query = url?.indexOf('?') ?? -1
  if (url === undefined || query === -1 || !url.includes('lastEventId=', query)) return undefined
  return new URLSearchParams(url.slice(query)).get('lastEventId') || undefined
}

/** Who opens a stream, as far as limits are concerned: Express's `req.ip`, which knows of proxies, else the peer. */
export function readClient(request: IncomingMessage): string {
  const ip: unknown = 'ip' in request ? request.ip : undefined
  return typeof ip === 'string' ? ip : (request.socket.remoteAddress ?? '')
}

/**
 * Removes Express's references to its routers from a request: their closures would keep a kilobyte for as long as the
 * stream is open.
 *
 * @param late - replaces `req.next`
 */
export function letGoOfRouters(request: IncomingMessage, late: (error?: unknown) => void): void {
  if (Reflect.has(request, 'next')) Reflect.set(request, 'next', late)
  // The parsed url as well: Express parses it again when asked.
  if (Reflect.has(request, '_parsedUrl')) Reflect.set(request, '_parsedUrl', undefined)
}
