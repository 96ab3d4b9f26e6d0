import { IncomingMessage, OutgoingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { look } from './look.ts'
import type { StreamResponse } from './outlet.ts'

/** What the answer says, besides what the handler set. */
const HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Type', 'text/event-stream'],
  // `no-transform` keeps compression, which would hold events back, away.
  ['Cache-Control', 'no-cache, no-store, no-transform'],
  ['X-Accel-Buffering', 'no'],
]

/** The same to a client that did not ask for `close`. */
const KEEP_ALIVE = ['Connection', 'keep-alive'] as const

/** Sends the head by way of Node, and of whoever has wrapped the response. */
export function flushHead(request: IncomingMessage, response: StreamResponse): void {
  response.statusCode = 200
  // To remove what is not there costs as much as to set it.
  if (response.hasHeader('Content-Length')) response.removeHeader('Content-Length')
  for (const [name, value] of HEADERS) response.setHeader(name, value)
  const { httpVersionMajor, httpVersionMinor } = request
  if (httpVersionMajor === 1 && httpVersionMinor >= 1 && response.shouldKeepAlive)
    response.setHeader(...KEEP_ALIVE)
  response.flushHeaders()
}

const { writeHead } = ServerResponse.prototype
const { end, flushHeaders, getHeaders, setHeader, write } = OutgoingMessage.prototype
/** With the case in which they were set; known to Node, but not to its types. */
const getNames: unknown = Reflect.get(OutgoingMessage.prototype, 'getRawHeaderNames')

/** A response that says 200 with nothing unusual, and nobody but Node between it and its socket. */
const PLAIN = Object.entries({
  ...{ end, flushHeaders, setHeader, write, writeHead },
  ...{ statusCode: 200, statusMessage: undefined },
  ...{ sendDate: true, shouldKeepAlive: true, useChunkedEncodingByDefault: true },
  ...{ _header: null, _removedTE: false },
})

/** What `flushHeaders` leaves behind, besides the head itself. */
const SENT = Object.entries({ _headerSent: true, chunkedEncoding: true })

/** Headers that Node looks into, and those that are ours to say. */
const SPECIAL = new Set([
  ...['connection', 'content-length', 'date', 'expect', 'keep-alive', 'trailer', 'transfer-encoding'],
  ...HEADERS.map(([name]) => name.toLowerCase()),
])

const OURS = [...HEADERS, KEEP_ALIVE].map(([name, value]) => `${name}: ${value}\r\n`).join('')

let proven: boolean | undefined

/**
 * The head that {@link flushHead} would send, where that can be told without Node; the response counts as having sent it then.
 * `flushHeaders` takes some fifty looks at the response and gives it two more properties, under Express (see {@link look}) a
 * tenth of all that it took to accept a reader, and a kilobyte that stayed. As with what is given to `writeHead` of Node, the
 * headers of the stream are none of `response.getHeaders()` then.
 *
 * It writes to fields of Node's own, and only where this Node was found to leave the same in them.
 *
 * @returns `undefined` if the head is to be sent the ordinary way
 */
export function takeHead(request: IncomingMessage, response: StreamResponse): string | undefined {
  proven ??= prove()
  return proven ? take(request, response) : undefined
}

function take(request: IncomingMessage, response: StreamResponse): string | undefined {
  for (const [name, value] of PLAIN) if (Reflect.get(response, name) !== value) return undefined
  if (look(request, 'httpVersionMinor') < 1 || look(request, 'method') === 'HEAD') return undefined
  if (look(request, 'headers').expect !== undefined) return undefined
  const lines = linesOf(response)
  if (lines === undefined) return undefined
  const date = new Date().toUTCString()
  const head = `HTTP/1.1 200 OK\r\n${lines}${OURS}Date: ${date}\r\nTransfer-Encoding: chunked\r\n\r\n`
  for (const [name, value] of SENT) Reflect.set(response, name, value)
  Reflect.set(response, '_header', head)
  return head
}

/** The headers that the handler set, if they are nothing but text. */
function linesOf(response: StreamResponse): string | undefined {
  if (typeof getNames !== 'function') return undefined
  const headers = getHeaders.call(response)
  const names: readonly string[] = getNames.call(response)
  let at = 0
  let lines = ''
  for (const name in headers) {
    const value = headers[name]
    if (typeof value !== 'string' || SPECIAL.has(name)) return undefined
    lines += `${names[at++]}: ${value}\r\n`
  }
  return lines
}

/** Fields in which the two ways may differ: what is asked of no response that was sent, and what is still to be written. */
const APART = /^(?:statusCode|statusMessage|outputData|outputSize|Symbol\(kOutHeaders\))$/

/**
 * Whether this Node leaves a response as {@link take} does, and sends the same: found by doing both. Not where its `writeHead`
 * was replaced before, by somebody who wants to hear of each head.
 */
function prove(): boolean {
  if (!String(writeHead).includes('this._storeHeader(')) return false
  const ordinary = probe()
  const straight = probe()
  flushHead(ordinary.req, ordinary)
  if (take(straight.req, straight) === undefined || !straight.headersSent) return false
  const keys = new Set([...Reflect.ownKeys(ordinary), ...Reflect.ownKeys(straight)])
  return [...keys].every(
    (key) =>
      APART.test(String(key)) ||
      comparable(Reflect.get(ordinary, key)) === comparable(Reflect.get(straight, key)),
  )
}

function probe(): StreamResponse {
  const request = new IncomingMessage(new Socket())
  Object.assign(request, { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 })
  const response = new ServerResponse(request)
  response.setHeader('X-Powered-By', 'Express')
  return response
}

const comparable = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replace(/^Date: .*$/m, '')
  return typeof value === 'object' && value !== null ? 'object' : value
}
