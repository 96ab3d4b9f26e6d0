import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseCursor } from './cursor.ts'
import { SseError } from './errors.ts'
import { look } from './look.ts'
import { isOver } from './outlet.ts'

export const answered = (): SseError =>
  new SseError(
    'ERR_SSE_ANSWERED',
    500,
    'This handler has answered already, so its response cannot become an event stream: use res.sse instead of res.send, res.json and res.end, not after them.',
  )

/**
 * Whether a response can still become a stream; not if its reader has left.
 *
 * @throws {@link SseError} `ERR_SSE_ANSWERED` if the handler has answered, `ERR_SSE_PIPELINED` behind another response
 */
export function isClaimable(request: IncomingMessage, response: ServerResponse): boolean {
  if (look(response, 'headersSent')) throw answered()
  if (isOver(response)) return false
  if (look(response, 'socket') === null && request.httpVersionMajor === 1) {
    throw new SseError(
      'ERR_SSE_PIPELINED',
      400,
      'An event stream was requested behind another response on the same connection: open it on a connection of its own.',
    )
  }
  return true
}

/** Answers with an error's status and headers, but without its message, which is not for the client. */
export function refuse(response: ServerResponse, error: unknown): void {
  const refusal = error instanceof SseError ? error : undefined
  response.statusCode = refusal?.status ?? 500
  for (const [name, value] of Object.entries(refusal?.headers ?? {})) response.setHeader(name, value)
  response.end()
}

/**
 * Answers 204, which stops every client from reconnecting, if the reader's cursor says that its stream is complete.
 *
 * @returns whether it did
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model
 */
export function refuseFinal(response: ServerResponse, lastEventId: string | undefined): boolean {
  if (lastEventId === undefined || !parseCursor(lastEventId)?.final) return false
  response.statusCode = 204
  response.setHeader('Cache-Control', 'no-store')
  response.end()
  return true
}
