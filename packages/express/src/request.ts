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
 * Takes out of a request what Express would go on with: the closures of its routers are a kilobyte, as long as the stream
 * is open.
 *
 * @param late - is called in place of `req.next`
 */
export function letGoOfRouters(request: IncomingMessage, late: (error?: unknown) => void): void {
  if (Reflect.has(request, 'next')) Reflect.set(request, 'next', late)
  // And the parsed url, which it parses again for who asks.
  if (Reflect.has(request, '_parsedUrl')) Reflect.set(request, '_parsedUrl', undefined)
}
