import { createDecoder } from '@sse/protocol'
import { createParser } from 'eventsource-parser'
import { answer } from './processes.ts'

/** What the decoding process can be asked. */
export interface DecodeRequests {
  /** Measures how fast a stream of events of one size, cut into chunks, is decoded. */
  decode: { ask: Decoding; answer: { megabytesPerSecond: number } }
}

export interface Decoding {
  readonly decoder: string
  readonly bytes: number
  readonly chunk: number
}

/** Bytes of the stream, which is decoded over and over. */
const LENGTH = 8 * 1024 * 1024
/** How long is measured, in milliseconds. */
const TIME = 500

type Feed = (chunk: Uint8Array) => void

/** Each turns bytes, as they come from a socket, into events. */
const DECODERS: Readonly<Record<string, (onEvent: () => void) => Feed>> = {
  'sse-protocol'(onEvent) {
    const decoder = createDecoder({ onEvent })
    return (chunk) => decoder.feed(chunk)
  },
  'eventsource-parser'(onEvent) {
    const utf8 = new TextDecoder()
    const parser = createParser({ onEvent })
    return (chunk) => parser.feed(utf8.decode(chunk, { stream: true }))
  },
}

function streamOf(bytes: number, chunk: number): readonly Uint8Array[] {
  const block = Buffer.from(`id: k3f9a2c1-1z\nevent: news\ndata: {"text":"${'x'.repeat(bytes)}"}\n\n`)
  const stream = Buffer.concat(Array.from({ length: Math.ceil(LENGTH / block.length) }, () => block))
  const chunks: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += chunk) chunks.push(stream.subarray(at, at + chunk))
  return chunks
}

answer<DecodeRequests>({
  decode({ bytes, chunk, decoder }) {
    const chunks = streamOf(bytes, chunk)
    let events = 0
    const feed = DECODERS[decoder]?.(() => {
      events += 1
    })
    if (feed === undefined) throw new Error(`There is no decoder '${decoder}'.`)
    for (const part of chunks) feed(part)
    if (events === 0) throw new Error(`${decoder} decoded nothing.`)
    let decoded = 0
    const start = performance.now()
    while (performance.now() - start < TIME) {
      for (const part of chunks) {
        feed(part)
        decoded += part.length
      }
    }
    return { megabytesPerSecond: decoded / 1e3 / (performance.now() - start) }
  },
})
