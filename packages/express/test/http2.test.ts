import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { AnyEvents } from '@sse/contract'
import { type Hub, type SseOptions, type Stream, sse } from '@sse/express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { gatedBroker } from './gated-broker.ts'

interface Served {
  readonly hub: Hub<AnyEvents>
  readonly server: Http2Server
  readonly client: ClientHttp2Session
}

/** A bare HTTP/2 server whose every request is given to a handler as a stream. */
async function serve(
  handle: (stream: Stream<AnyEvents>) => unknown,
  options: SseOptions<AnyEvents> = {},
): Promise<Served> {
  const hub = sse<AnyEvents>(options)
  const server = createServer((_, response) => void handle(hub.stream(response)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(async () => {
    client.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { hub, server, client }
}

/** Reads a stream until a text has arrived. */
async function readUntil(stream: ClientHttp2Stream, text: string): Promise<string> {
  let seen = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    seen += chunk
    if (seen.includes(text)) return seen
  }
  throw new Error(`The stream ended before ${JSON.stringify(text)}: ${seen}`)
}

describe('HTTP/2', () => {
  it('gets an event stream without the headers that it forbids', async () => {
    const { client, hub } = await serve((stream) => stream.join('news'))
    const request = client.request({ ':path': '/events' })
    const headers = await new Promise<Record<string, unknown>>((resolve) => request.once('response', resolve))
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'text/event-stream' })
    for (const name of ['connection', 'keep-alive', 'transfer-encoding'])
      expect(headers).not.toHaveProperty(name)
    await hub.channel('news').publish('n', 1)
    expect(await readUntil(request, 'data: 1\n\n')).toMatch(/^retry: \d+\n\nevent: sse\.open\n.*event: n\n/s)
  })

  it('lets many streams share a connection, one of which may leave', async () => {
    const { client, hub } = await serve((stream) => stream.join('news'))
    const requests = Array.from({ length: 5 }, () => client.request({ ':path': '/events' }))
    await expect.poll(() => hub.channel('news').size).toBe(5)
    requests[0]?.close()
    await expect.poll(() => hub.stats().streams).toBe(4)
    await hub.channel('news').publish('n', 1)
    for (const request of requests.slice(1)) await readUntil(request, 'data: 1\n\n')
  })

  it.each<[string, (request: ClientHttp2Stream) => void]>([
    ['as no error', (request) => request.close()],
    ['as cancelled', (request) => request.close(constants.NGHTTP2_CANCEL)],
    ['by its end', (request) => request.destroy()],
  ])('notices at once that a slow reader resets its stream %s', async (_, reset) => {
    const { client, hub } = await serve((stream) => stream.join('news'))
    const request = client.request({ ':path': '/events' })
    await expect.poll(() => hub.channel('news').size).toBe(1)
    const [stream] = hub.streams
    // More than its window.
    for (let n = 0; n < 10; n++) stream?.send('n', 'x'.repeat(20_000))
    await new Promise((resolve) => request.once('readable', resolve))
    reset(request)
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })

  it('has the time-out of its session left alone, which is that of all its streams', async () => {
    const { client, hub, server } = await serve((stream) => stream.join('news'))
    const timeouts: unknown[] = []
    server.on('session', (session) => {
      const spied = vi.spyOn(session, 'setTimeout')
      timeouts.push(spied)
    })
    for (let n = 1; n <= 3; n++) {
      await readUntil(client.request({ ':path': '/events' }), 'sse.live')
      expect(hub.stats().streams).toBe(n)
    }
    expect(timeouts).toHaveLength(1)
    expect(timeouts[0]).not.toHaveBeenCalled()
  })

  it('registers nobody who left during an asynchronous authorisation', async () => {
    let authorise = (): void => {}
    const authorised = new Promise<void>((resolve) => {
      authorise = resolve
    })
    const joined: Promise<void>[] = []
    const { client, hub, server } = await serve(async (stream) => {
      await authorised
      joined.push(stream.join('news'))
    })
    let left: boolean | undefined
    server.on('stream', (stream) => {
      left = false
      stream.on('error', () => {})
      stream.on('close', () => {
        left = true
      })
    })
    const request = client.request({ ':path': '/events' })
    await expect.poll(() => left).toBe(false)
    request.close()
    await expect.poll(() => left).toBe(true)
    authorise()
    await expect.poll(() => joined).toHaveLength(1)
    await joined[0]
    expect(hub.stats()).toMatchObject({ streams: 0, channels: 0 })
  })

  it('registers nobody who left while the broker subscribed', async () => {
    const broker = gatedBroker()
    const { client, hub } = await serve((stream) => stream.join('news'), { broker })
    const request = client.request({ ':path': '/events' })
    await expect.poll(() => broker.waiting).toEqual(['attach'])
    request.close()
    await expect.poll(() => hub.stats().streams).toBe(0)
    broker.open()
    await expect.poll(() => hub.stats()).toMatchObject({ streams: 0, channels: 0 })
    expect(hub.channel('news').size).toBe(0)
  })

  it('closes a stream for good, and destroys one that takes nothing, while the others go on', async () => {
    const { client, hub } = await serve((stream) => stream.join(['all', 'some']), {
      heartbeat: 30,
      stallTimeout: 60,
      history: { bytes: 3_000_000 },
    })
    const hanging = client.request({ ':path': '/events' })
    await expect.poll(() => hub.channel('all').size).toBe(1)
    const reading = client.request({ ':path': '/events' })
    reading.resume()
    await expect.poll(() => hub.channel('all').size).toBe(2)
    while (hub.stats().streams > 1) {
      await hub.channel('all').publish('n', 'x'.repeat(100_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    hanging.on('error', () => {})
    hanging.resume()
    const [left] = hub.streams
    left?.close('over')
    expect(await readUntil(reading, 'event: sse.close')).toContain('sse.close')
  })

  it.each(['before', 'after'])('lets server.close return that was called %s', async (when) => {
    const { client, hub, server } = await serve((stream) => stream.join('news'))
    const request = client.request({ ':path': '/events' })
    request.resume()
    await expect.poll(() => hub.channel('news').size).toBe(1)
    const close = () => new Promise((resolve) => server.close(resolve))
    const closed = when === 'before' ? close() : hub.close().then(close)
    await hub.close()
    await closed
    expect(client.closed).toBe(true)
  })
})
