import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { sse } from '@sse/express'
import { afterEach, describe, expect, it } from 'vitest'

// What the simulation says of a hub, held against one.

const STREAMS = 60
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Reader {
  readonly socket: Socket
  text: string
  /** When it ended. */
  readonly ended: Promise<number>
}

async function open() {
  const hub = sse({ retry: 2_000 })
  const server = createServer((_request, response) => hub.stream(response).join('news'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    await hub.close({ within: 0 })
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const readers = Array.from({ length: STREAMS }, (): Reader => {
    const socket = connect(port, '127.0.0.1')
    const ended = new Promise<number>((resolve) => socket.once('end', () => resolve(performance.now())))
    const reader: Reader = { socket, text: '', ended }
    socket.setEncoding('latin1').on('data', (chunk) => {
      reader.text += chunk
    })
    socket.write('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
    return reader
  })
  await Promise.all(readers.map(({ socket }) => once(socket, 'data')))
  return { hub, readers }
}

const retries = ({ text }: Reader): number[] =>
  [...text.matchAll(/retry: (\d+)/g)].map(([, milliseconds]) => Number(milliseconds))

describe('a hub', () => {
  it('tells each stream when to come back, from half its retry to one and a half', async () => {
    const { readers } = await open()
    const told = readers.flatMap(retries)
    expect(told).toHaveLength(STREAMS)
    expect(Math.min(...told)).toBeGreaterThanOrEqual(1_000)
    expect(Math.max(...told)).toBeLessThanOrEqual(3_000)
    expect(Math.min(...told)).toBeLessThan(1_500)
    expect(Math.max(...told)).toBeGreaterThan(2_500)
  })

  it('ends its streams spread over the window but its last half second, each told anew', async () => {
    const { hub, readers } = await open()
    const begun = performance.now()
    await hub.close({ within: 1_300 })
    const ends = await Promise.all(readers.map(({ ended }) => ended))
    // Two of sixty streams every 20 ms, in a window of 800: a machine that is slow ends them later, not sooner.
    for (const [index, end] of ends.sort((a, b) => a - b).entries()) {
      expect(end - begun).toBeGreaterThanOrEqual(Math.floor(index / 2) * 20 - 5)
    }
    for (const reader of readers) expect(retries(reader)).toHaveLength(2)
  })
})
