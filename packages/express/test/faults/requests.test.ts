import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createDecoder, type DecodedEvent } from '@sse/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hub, SseError, sse } from '../../src/index.ts'

/** What a client may say, raw: the rest of the request is as it should be. */
interface Said {
  readonly lastEventId: string | undefined
  readonly query: string
  readonly channel: string
}

const runs = process.env.CI === 'true' ? 2_000 : 200

/** Anything that node's parser lets pass in a header: visible ASCII, tabs, and bytes beyond. */
const header = fc
  .array(
    fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)),
    { maxLength: 300 },
  )
  .map((codes) => String.fromCharCode(...codes).trim())
const cursor = fc
  .tuple(
    fc.string({ maxLength: 40 }),
    fc.oneof(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), fc.nat()),
    fc.constantFrom('', '~', '~~'),
  )
  .map(([epoch, g, mark]) => `${epoch.replace(/[^ -~]/g, '')}-${g.toString(36)}${mark}`)
const hostile = fc.constantFrom(
  '../../etc/passwd',
  '<script>alert(1)</script>',
  '%00',
  '%zz',
  '-',
  '~',
  `${'a'.repeat(32)}-${'z'.repeat(11)}`,
  'a'.repeat(8_000),
  '-'.repeat(8_000),
  `${'0-'.repeat(4_000)}~`,
)
const id = fc.oneof(header, cursor, hostile)
const path = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => encodeURIComponent(text))
const said: fc.Arbitrary<Said> = fc.record({
  lastEventId: fc.option(
    id.map((text) => text.replace(/[\r\n\0]/g, '')),
    { nil: undefined },
  ),
  query: fc.oneof(
    path.map((text) => `lastEventId=${text}`),
    hostile.map((text) => `lastEventId=${encodeURI(text)}`),
    fc.constantFrom(
      'lastEventId',
      'lastEventId=',
      'lastEventId=a&lastEventId=b',
      '&&&=',
      'lastEventId=%E0%A4%A',
    ),
    fc.constant(''),
  ),
  channel: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 250 }),
    hostile,
    fc.constantFrom('', '*', 'a\r\nid: x', '__proto__', '\0'),
  ),
})

describe('whatever a client sends', () => {
  let server: Server
  let port = 0
  let hub: Hub<Record<string, unknown>>
  const errors: unknown[] = []

  beforeAll(async () => {
    hub = sse<Record<string, unknown>>({ history: { length: 50 } })
    hub.on('error', (error) => errors.push(error))
    server = createServer((request, response) => {
      hub(request, response, () => {
        const name = Buffer.from(String(request.headers['x-channel']), 'base64').toString()
        hub
          .stream(response)
          .join(['news', name])
          .catch((error: unknown) => {
            if (!(error instanceof SseError)) errors.push(error)
            response.statusCode = error instanceof SseError ? error.status : 500
            response.end()
          })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
    for (let n = 0; n < 60; n++) await hub.channel('news').publish('note', { n })
  })

  afterAll(async () => {
    server.closeAllConnections()
    await hub.close()
    await new Promise((resolve) => server.close(resolve))
  })

  /** Sends the request byte by byte as it is, and reads until the answer is refused or live. */
  function ask({ channel, lastEventId, query }: Said): Promise<{ status: number; events: DecodedEvent[] }> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let head = ''
      let status = 0
      const events: DecodedEvent[] = []
      const done = (): void => {
        socket.destroy()
        resolve({ status, events })
      }
      const decoder = createDecoder({
        onEvent: (event) => {
          events.push(event)
          if (event.event === 'sse.live') done()
        },
      })
      socket.on('error', reject)
      socket.on('close', done)
      socket.on('data', (chunk: Buffer) => {
        if (status !== 0) {
          decoder.feed(chunk)
          return
        }
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end === -1) return
        status = Number(head.slice(9, 12))
        if (status !== 200) done()
        else decoder.feed(Buffer.from(head.slice(end + 4), 'latin1'))
      })
      const lines = [
        `GET /events?${query} HTTP/1.0`,
        `X-Channel: ${Buffer.from(channel).toString('base64')}`,
        ...(lastEventId === undefined ? [] : [`Last-Event-ID: ${lastEventId}`]),
      ]
      socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
    })
  }

  it('is answered by a stream or a refusal, and nothing is forged', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(said, async (request) => {
        const { events, status } = await ask(request)
        // 400 is ours for a channel's name; 400 and 431 are node's for a head that it does not take.
        expect([200, 204, 400, 431]).toContain(status)
        if (status !== 200) return
        expect(events[0]?.event).toBe('sse.open')
        for (const { event, id } of events) {
          expect(['sse.open', 'sse.gap', 'sse.live', 'note']).toContain(event)
          expect(id).toMatch(/^([a-z0-9]+-[a-z0-9]+)?$/)
        }
      }),
      { numRuns: runs },
    )
    expect(errors).toEqual([])
  })

  it('is judged in a time that does not grow with it', async () => {
    // Up to what node takes for a request's head.
    const ask1 = async (lastEventId: string): Promise<number> => {
      const start = performance.now()
      for (let round = 0; round < 20; round++) await ask({ lastEventId, query: '', channel: 'other' })
      return performance.now() - start
    }
    await ask1('warm-up')
    const short = await ask1('0-0')
    for (const long of [
      'a'.repeat(15_000),
      '-'.repeat(15_000),
      '0-'.repeat(7_500),
      `${'z'.repeat(32)}-${'0'.repeat(14_000)}`,
    ]) {
      // Quadratic would be hundreds of times as long; a busy machine some times.
      expect(await ask1(long)).toBeLessThan(20 * short + 500)
    }
  })
})
