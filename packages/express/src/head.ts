import { type IncomingMessage, OutgoingMessage, ServerResponse } from 'node:http'
import { look } from './look.ts'
import { areOfNode, METHODS } from './methods.ts'
import type { StreamResponse } from './outlet.ts'

type Version = Pick<IncomingMessage, 'httpVersionMajor' | 'httpVersionMinor'>

/** The headers of every stream, besides what the handler set. */
const HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Type', 'text/event-stream'],
  // `no-transform` turns off compression, which would delay events.
  ['Cache-Control', 'no-cache, no-store, no-transform'],
  ['X-Accel-Buffering', 'no'],
]

/** Added if neither the client nor the server wants to end the connection. */
const KEEP_ALIVE = ['Connection', 'keep-alive'] as const

/** Sends the head through Node's methods, or the wrappers that replace them. */
export function flushHead(request: Version, response: StreamResponse): void {
  response.statusCode = 200
  // Removing a header that is not set costs as much as setting one.
  if (response.hasHeader('Content-Length')) response.removeHeader('Content-Length')
  for (const [name, value] of HEADERS) response.setHeader(name, value)
  if (mayKeepAlive(request, response)) response.setHeader(...KEEP_ALIVE)
  response.flushHeaders()
}

/** Whether nothing says otherwise: Node sends `close` on a connection that has reached its maximum of requests. */
const mayKeepAlive = ({ httpVersionMajor, httpVersionMinor }: Version, response: StreamResponse): boolean =>
  httpVersionMajor === 1 &&
  httpVersionMinor >= 1 &&
  response.shouldKeepAlive &&
  Reflect.get(response, 'maxRequestsOnConnectionReached') !== true &&
  !response.hasHeader('Connection')

/** The properties of an ordinary response: status 200, and methods that were not replaced since this module was loaded. */
const PLAIN = Object.entries({
  ...METHODS,
  statusCode: 200,
  statusMessage: undefined,
  sendDate: true,
  shouldKeepAlive: true,
  maxRequestsOnConnectionReached: false,
  useChunkedEncodingByDefault: true,
  // Node's own record of a HEAD request, whatever `req.method` was changed to.
  _hasBody: true,
  _header: null,
  _removedTE: false,
})

/** What `flushHeaders` sets, besides the head and the headers. */
const SENT = Object.entries({ _headerSent: true, chunkedEncoding: true })

/** Headers as Node stores them: by lower-case name, each with its name as it was given. */
type Kept = Record<string, readonly [name: string, value: unknown]>

const OURS: Kept = Object.fromEntries(
  [...HEADERS, KEEP_ALIVE].map(([name, value]) => [name.toLowerCase(), [name, value]]),
)
const OUR_LINES = Object.values(OURS).map(lineOf).join('')

/** Headers that Node interprets, and those of {@link HEADERS}. */
const SPECIAL = new Set([
  ...['content-length', 'date', 'expect', 'keep-alive', 'trailer', 'transfer-encoding'],
  ...Object.keys(OURS),
])

/** The key under which Node stores the headers of a response; false if {@link take} does not match this version of Node. */
let proven: symbol | false | undefined

/**
 * The head that {@link flushHead} would send, made without Node's methods in ordinary cases; marks the response as having
 * sent it. `flushHeaders` reads some fifty properties and adds two: under Express (see {@link look}), that was a seventh of
 * the time to accept a reader, and kept a kilobyte. `response.statusMessage` stays undefined: setting it would cost a fifth
 * of what this saves.
 *
 * It writes to private fields of Node, but only after a test that this version of Node leaves the same in all of them.
 *
 * @returns `undefined` if the head must be sent by {@link flushHead}
 */
export function takeHead(request: IncomingMessage, response: StreamResponse): string | undefined {
  for (const [name, value] of PLAIN) if (Reflect.get(response, name) !== value) return undefined
  if (look(request, 'httpVersionMinor') < 1 || look(request, 'headers').expect !== undefined) return undefined
  proven ??= prove()
  return proven === false ? undefined : take(response, proven)
}

function take(response: StreamResponse, key: symbol): string | undefined {
  const headers: Kept = Reflect.get(response, key) ?? {}
  let lines = ''
  for (const name in headers) {
    const header = headers[name]
    if (header === undefined || typeof header[1] !== 'string' || SPECIAL.has(name)) return undefined
    lines += lineOf(header)
  }
  if (last?.lines !== lines) last = { lines, headers: Object.assign(Object.create(null), headers, OURS) }
  Reflect.set(response, key, last.headers)
  const date = new Date().toUTCString()
  const head = `HTTP/1.1 200 OK\r\n${lines}${OUR_LINES}Date: ${date}\r\nTransfer-Encoding: chunked\r\n\r\n`
  for (const [name, value] of SENT) Reflect.set(response, name, value)
  Reflect.set(response, '_header', head)
  return head
}

/** The headers sent last, shared by responses with the same ones: headers cannot change once sent. */
let last: { readonly lines: string; readonly headers: Kept } | undefined

function lineOf([name, value]: Kept[string]): string {
  return `${name}: ${value}\r\n`
}

/** Fields in which the two ways may differ; the latter two hold output that is still to be written. */
const APART = /^(?:statusMessage|outputData|outputSize)$/

/**
 * Tests whether {@link take} leaves a response in the same state as this version of Node, and sends the same, by doing both
 * with two responses of its own. Not if a method was replaced before this module was loaded: its wrapper must be called.
 */
function prove(): symbol | false {
  try {
    if (!areOfNode()) return false
    const ordinary = probe()
    const straight = probe()
    const key = Object.getOwnPropertySymbols(straight).find(
      ({ description }) => description === 'kOutHeaders',
    )
    if (key === undefined) return false
    flushHead({ httpVersionMajor: 1, httpVersionMinor: 1 }, ordinary)
    take(straight, key)
    const keys = new Set([...Reflect.ownKeys(ordinary), ...Reflect.ownKeys(straight)])
    const same = [...keys].every(
      (key) =>
        APART.test(String(key)) ||
        comparable(Reflect.get(ordinary, key)) === comparable(Reflect.get(straight, key)),
    )
    return same && key
  } catch {
    return false
  }
}

/** A response as its constructor makes it, without the diagnostics that the constructor publishes. */
function probe(): StreamResponse {
  const response = Reflect.construct(OutgoingMessage, [], ServerResponse) as StreamResponse
  Object.assign(response, { sendDate: true, _sent100: false, _expect_continue: false })
  response.setHeader('X-Powered-By', 'Express')
  return response
}

const comparable = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replace(/^Date: .*$/m, '')
  return typeof value === 'object' ? JSON.stringify(value) : value
}
