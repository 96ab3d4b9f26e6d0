import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { serve, type Target } from './serve.ts'
import { TestStream } from './test-stream.ts'

export interface ConnectOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as `Last-Event-ID`. */
  readonly lastEventId?: string | undefined
  readonly body?: string
  /** How long {@link TestStream.next} waits, in milliseconds. @defaultValue 5,000 */
  readonly timeout?: number
}

/**
 * Opens an event stream of an app over a real socket.
 *
 * @returns when the head of the answer is there, whatever its status
 *
 * @example
 * const stream = await connect(app, '/events')
 * await hub.channel('news').publish('headline', { title: 'Hello' })
 * expect((await stream.next('headline')).json).toEqual({ title: 'Hello' })
 * await stream.drop()
 * const again = await stream.resume()
 */
export async function connect(
  target: Target,
  path: string,
  options: ConnectOptions = {},
): Promise<TestStream> {
  const { body, headers = {}, lastEventId, method = 'GET', timeout = 5_000 } = options
  const url = new URL(path, await serve(target))
  const sent = {
    accept: 'text/event-stream',
    ...headers,
    ...(lastEventId && { 'last-event-id': lastEventId }),
  }
  const response = await open(url, { method, headers: sent }, body)
  return new TestStream(response, timeout, lastEventId ?? '', (id) =>
    connect(target, path, { ...options, lastEventId: id || undefined }),
  )
}

function open(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Each stream has its own connection, which ends with it.
    const sent = request(url, { ...options, agent: new Agent({ keepAlive: false }) })
    sent.once('error', reject)
    sent.once('response', (response) => {
      sent.off('error', reject)
      // Many tests cut the connection: `ended` tells.
      sent.on('error', () => {})
      resolve(response)
    })
    sent.end(body)
  })
}
