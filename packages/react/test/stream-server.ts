import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeControl, encodeEvent, encodeRetry } from '@sse/protocol'
import { onTestFinished } from 'vitest'

/** An event stream over a real socket, told by the test what to say. */
export interface StreamServer {
  /** Of a stream; everything after the origin is free. */
  url(path?: string): string
  /** Every request so far, by path. */
  readonly requests: readonly StreamRequest[]
  /** How many streams are open now. */
  readonly streams: number
  /** Sends to every open stream of a path. */
  send(event: string, data: unknown, path?: string): void
  /** The same for many, in one write each. */
  sendAll(events: readonly (readonly [event: string, data: unknown])[], path?: string): void
  gap(path?: string): void
  end(reason: string, path?: string): void
  /** Cuts every open stream, as a network does. */
  drop(): void
  /** Answers from now on with this status instead of a stream. */
  refuse(status: number | undefined): void
}

interface StreamRequest {
  readonly path: string
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly lastEventId: string | undefined
}

export async function startStreamServer(): Promise<StreamServer> {
  const requests: StreamRequest[] = []
  const open = new Set<{ readonly path: string; readonly res: ServerResponse }>()
  let refusal: number | undefined
  let id = 0

  const server = createServer((req, res) => {
    res.setHeader('Access-Control-Allow-Origin', '*')
    res.setHeader('Access-Control-Allow-Headers', '*')
    if (req.method === 'OPTIONS') {
      res.writeHead(204).end()
      return
    }
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost')
    const lastEventId =
      req.headers['last-event-id']?.toString() ?? searchParams.get('lastEventId') ?? undefined
    requests.push({ path: pathname, method: req.method ?? '', headers: req.headers, lastEventId })
    if (refusal !== undefined) {
      res.writeHead(refusal).end()
      return
    }
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.write(encodeRetry(50))
    res.write(encodeControl('sse.open', { heartbeat: 15_000, resumed: lastEventId !== undefined, replay: 0 }))
    res.write(encodeControl('sse.live', {}, `e-${id}`))
    const stream = { path: pathname, res }
    open.add(stream)
    res.on('close', () => open.delete(stream))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })

  const write = (text: string, path: string | undefined): void => {
    for (const stream of open) if (path === undefined || stream.path === path) stream.res.write(text)
  }
  const block = (event: string, data: unknown): string => {
    id += 1
    return encodeEvent({ event, id: `e-${id}`, data: JSON.stringify(data) })
  }

  return {
    url: (path = '/events') => `http://127.0.0.1:${port}${path}`,
    requests,
    get streams() {
      return open.size
    },
    send: (event, data, path) => write(block(event, data), path),
    sendAll: (events, path) => write(events.map(([event, data]) => block(event, data)).join(''), path),
    gap: (path) => write(encodeControl('sse.gap', { channels: ['news'], reason: 'evicted' }), path),
    end: (reason, path) => write(encodeControl('sse.close', { reason }), path),
    drop: () => {
      for (const { res } of open) res.destroy()
    },
    refuse: (status) => {
      refusal = status
    },
  }
}
