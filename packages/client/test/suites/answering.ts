import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Answer, Seen } from './endpoint.ts'

/** The server's side of an endpoint. */
export interface Answering {
  readonly listener: RequestListener
  seen(): readonly Seen[]
  cut(): void
}

export function createAnswering(answers: readonly Answer[]): Answering {
  const requests: IncomingMessage[] = []
  return {
    listener(req, res) {
      requests.push(req)
      const answer = answers[Math.min(requests.length, answers.length) - 1]
      // A request that is not read to its end keeps the socket.
      req.resume()
      if (answer !== undefined) give(answer, res)
    },
    seen: () => requests.map(look),
    cut() {
      for (const { socket } of requests) socket.destroy()
    },
  }
}

function give({ status = 200, headers = {}, body = '', after = 'stay' }: Answer, res: ServerResponse): void {
  if (after === 'hang') return
  res.writeHead(status, headers)
  res.flushHeaders()
  const said = typeof body === 'string' ? body : Buffer.from(body)
  if (after === 'end') res.end(said)
  else res.write(said)
}

function look({ method = '', url = '', headers, socket }: IncomingMessage): Seen {
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  const header = headers['last-event-id']
  return {
    method,
    path: pathname.slice(pathname.lastIndexOf('/') + 1),
    headers,
    cursor:
      typeof header === 'string'
        ? Buffer.from(header, 'latin1').toString()
        : (searchParams.get('lastEventId') ?? undefined),
    open: !socket.destroyed,
  }
}
