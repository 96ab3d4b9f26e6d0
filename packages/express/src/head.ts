import { type IncomingMessage, OutgoingMessage, ServerResponse } from 'node:http'
import { look } from './look.ts'
import { areOfNode, METHODS } from './methods.ts'
import type { StreamResponse } from './outlet.ts'

type Version = Pick<IncomingMessage, 'httpVersionMajor' | 'httpVersionMinor'>

/** What the answer says, besides what the handler set. */
const HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Type', 'text/event-stream'],
  // `no-transform` keeps compression, which would hold events back, away.
  ['Cache-Control', 'no-cache, no-store, no-transform'],
  ['X-Accel-Buffering', 'no'],
]

/** The same where neither the client nor the server wants the connection to end. */
const KEEP_ALIVE = ['Connection', 'keep-alive'] as const

/** Sends the head by way of Node, and of whoever has wrapped the response. */
export function flushHead(request: Version, response: StreamResponse): void {
  response.statusCode = 200
  // To remove what is not there costs as much as to set it.
  if (response.hasHeader('Content-Length')) response.removeHeader('Content-Length')
  for (const [name, value] of HEADERS) response.setHeader(name, value)
  if (mayKeepAlive(request, response)) response.setHeader(...KEEP_ALIVE)
  response.flushHeaders()
}

/** Whether nobody has said otherwise: on a connection that has had all its requests Node says `close`, and answers 503 next. */
const mayKeepAlive = ({ httpVersionMajor, httpVersionMinor }: Version, response: StreamResponse): boolean =>
  httpVersionMajor === 1 &&
  httpVersionMinor >= 1 &&
  response.shouldKeepAlive &&
  Reflect.get(response, 'maxRequestsOnConnectionReached') !== true &&
  !response.hasHeader('Connection')

/** A response that says 200 with nothing unusual, by methods that nobody has replaced since this was loaded. */
const PLAIN = Object.entries({
  ...METHODS,
  statusCode: 200,
  statusMessage: undefined,
  sendDate: true,
  shouldKeepAlive: true,
  maxRequestsOnConnectionReached: false,
  useChunkedEncodingByDefault: true,
  // Not to a HEAD request, whatever the request was made to say since.
  _hasBody: true,
  _header: null,
  _removedTE: false,
})

/** What `flushHeaders` leaves behind, besides the head and the headers. */
const SENT = Object.entries({ _headerSent: true, chunkedEncoding: true })

/** Headers as Node keeps them: by their names in lower case, each with its name as it was given. */
type Kept = Record<string, readonly [name: string, value: unknown]>

const OURS: Kept = Object.fromEntries(
  [...HEADERS, KEEP_ALIVE].map(([name, value]) => [name.toLowerCase(), [name, value]]),
)
const OUR_LINES = Object.values(OURS).map(lineOf).join('')

/** Headers that Node looks into, and those that are ours to say. */
const SPECIAL = new Set([
  ...['content-length', 'date', 'expect', 'keep-alive', 'trailer', 'transfer-encoding'],
  ...Object.keys(OURS),
])

/** Where Node keeps the headers of a response; false where this Node was not found to do as {@link take} does. */
let proven: symbol | false | undefined

/**
 * The head that {@link flushHead} would send, where that can be told without Node; the response counts as having sent it then.
 * `flushHeaders` takes some fifty looks at the response and gives it two more properties, under Express (see {@link look}) a
 * seventh of all that it took to accept a reader, and a kilobyte that stayed. `response.statusMessage` stays undefined: to set
 * it would cost a fifth of that.
 *
 * It writes to fields of Node's own, and only where this Node was found to leave the same in all of them.
 *
 * @returns `undefined` if the head is to be sent the ordinary way
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

/** What was sent last, for all who are sent the same: nobody can change headers that were sent. */
let last: { readonly lines: string; readonly headers: Kept } | undefined

function lineOf([name, value]: Kept[string]): string {
  return `${name}: ${value}\r\n`
}

/** Fields in which the two ways may differ; the latter two hold what is still to be written. */
const APART = /^(?:statusMessage|outputData|outputSize)$/

/**
 * Whether this Node leaves a response as {@link take} does, and sends the same: found by doing both, with responses that
 * nobody is told of. Not where somebody wants to hear of heads, and replaced a method before this was loaded.
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

/** A response as it is made by its constructor, which would announce it. */
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
