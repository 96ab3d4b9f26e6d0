import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DemoServer, run, startDemo } from './server.ts'

let demo: DemoServer

beforeAll(async () => {
  demo = await startDemo()
})
afterAll(() => demo.stop())

const post = (path: string, body: string) =>
  fetch(`${demo.url}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })

describe('a request', () => {
  it.each([
    ['/counter', { by: 2, from: 'Wren' }, 'Count by 1 or -1.'],
    ['/counter', { by: 1 }, 'A name is missing.'],
    ['/notifications', { from: 'Wren', text: ' ' }, 'Write a message first.'],
    ['/notifications', { from: 'Wren', text: 'x'.repeat(141) }, 'A message has at most 140 characters.'],
    ['/notifications', { from: 'Wren\r\nid: 1', text: 'x' }, 'A name has up to 24 letters'],
    ['/notifications', { from: 'Wren', to: '<b>', text: 'x' }, 'A name has up to 24 letters'],
    ['/cut', { id: 'somebody else' }, 'Not a visitor id.'],
    ['/cut', { id: '0'.repeat(32), seconds: 3600 }, 'At most 30 seconds.'],
  ])('to %s with %o is refused with a word why', async (path, body, message) => {
    const response = await post(path, JSON.stringify(body))
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ message: expect.stringContaining(message) })
  })

  it('that is not JSON is refused', async () => {
    const response = await post('/counter', '{')
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ message: 'The body is not JSON.' })
  })

  it('for a stream under an impossible name is refused', async () => {
    const response = await fetch(`${demo.url}/events?name=%00`)
    expect(response.status).toBe(400)
    await response.body?.cancel()
  })
})

describe('the stream', () => {
  it('needs no query: it opens, says the state and is live', async () => {
    const response = await fetch(`${demo.url}/events`)
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk)
      if (text.includes('event: sse.live')) break
    }
    expect(text).toMatch(/^retry: \d+\n\nevent: sse\.open\n.*event: counter\n.*event: sse\.live\n/s)
  })

  it('is refused to who was cut off, until the time is over', async () => {
    const id = 'a'.repeat(32)
    await post('/cut', JSON.stringify({ id, seconds: 1 }))
    const refused = await fetch(`${demo.url}/events?id=${id}`)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBe(1)
    await expect
      .poll(async () => {
        const response = await fetch(`${demo.url}/events?id=${id}`)
        await response.body?.cancel()
        return response.status
      })
      .toBe(200)
  })
})

describe('the server', () => {
  it.each(['server/main.ts', 'server/preflight.ts'])(
    '%s ends with the remedy where the port is taken',
    async (file) => {
      const { port } = new URL(demo.url)
      const second = run(file, Number(port))
      let said = ''
      second.stderr?.on('data', (chunk) => {
        said += chunk
      })
      const [code] = await once(second, 'close')
      expect(said).toContain(`Port ${port} is taken. Choose another one: PORT=${Number(port) + 1} pnpm dev`)
      expect(code).toBe(1)
    },
  )

  it('ends promptly on SIGTERM though streams are open', async () => {
    const other = await startDemo()
    const response = await fetch(`${other.url}/events`)
    const ended = (async () => {
      for await (const _chunk of response.body ?? []);
    })()
    expect(await other.stop()).toBe(0)
    await ended
  })
})
