import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { AnyEvents } from '@sse/contract'
import type { Broker } from './broker.ts'
import { HubChannel } from './channel.ts'
import { closeStreams } from './closing.ts'
import { formatCursor } from './cursor.ts'
import { Emitter } from './emitter.ts'
import { EventStream } from './event-stream.ts'
import type { CloseOptions, Hub, HubEvents } from './hub.ts'
import { look } from './look.ts'
import { MAX_DELAY } from './option-checks.ts'
import { resolveOptions, type SseOptions } from './options.ts'
import { mustBeUnused } from './other-hubs.ts'
import type { StreamResponse } from './outlet.ts'
import { readLastEventId } from './request.ts'
import { refuseFinal } from './response.ts'
import { Runs } from './runs.ts'
import { Switchboard } from './switchboard.ts'

/** The key of a stream on a response whose `res.sse` is the application's own. */
const STREAM: unique symbol = Symbol('sse.stream')

/** A response with its stream: that of the hub mounted last, which links to those of other hubs. */
type Marked = StreamResponse & { readonly sse?: unknown; readonly [STREAM]?: unknown }

/** The response of HTTP/2's compatibility API has everything that is used here, though not in its types. */
const marked = (response: ServerResponse | Http2ServerResponse): Marked => response as Marked

/** Whether `res.sse` is unused, or a hub's. */
const isFree = ({ sse }: Marked): boolean => sse === undefined || sse instanceof EventStream

/** The stream of the hub mounted last. */
function streamOf(response: Marked): EventStream<unknown> | undefined {
  const kept = isFree(response) ? response.sse : response[STREAM]
  return kept instanceof EventStream ? kept : undefined
}

/** The hubs that have streams. A hub that was never mounted but publishes to their channels is probably a mistake. */
const serving = new Set<{ readonly broker: Broker; size(channel: string): number }>()

/**
 * Creates an event hub, which is also the middleware that gives every response its `res.sse`.
 *
 * @throws TypeError for an invalid or unknown option
 *
 * @example
 * const hub = sse({ events })
 * app.use(hub)
 * app.get('/events', (req, res) => res.sse.join('news'))
 * app.post('/news', async (req, res) => {
 *   await hub.channel('news').publish('headline', req.body)
 *   res.sendStatus(202)
 * })
 */
export function sse<E = AnyEvents>(options: SseOptions<E> = {}): Hub<E> {
  const resolved = resolveOptions(options)
  const { broker } = resolved
  let published = 0
  let gaps = 0
  let mounted = false
  let warned = false
  let closed: Promise<void> | undefined

  const emitter = new Emitter<HubEvents<E>>(['connect', 'disconnect', 'gap', 'error'], (thrown, event) =>
    event === 'error' ? warn(thrown) : fail(thrown),
  )
  const fail = (error: unknown): void => {
    if (!emitter.emit('error', error)) warn(error)
  }
  const board = new Switchboard<EventStream<E>>(resolved, {
    connected(stream) {
      serving.add(served)
      emitter.emit('connect', stream)
    },
    disconnected(stream) {
      if (board.streams.size === 0) serving.delete(served)
      emitter.emit('disconnect', stream)
    },
    missed(stream, channels, reason) {
      gaps += 1
      emitter.emit('gap', stream, { channels, reason })
    },
    published(channel) {
      published += 1
      if (mounted || warned) return
      for (const other of serving) {
        if (other.broker === broker || other.size(channel) === 0) continue
        warned = true
        const shown = JSON.stringify(channel)
        warn(
          `channel(${shown}).publish() on a hub that has never seen a request, while readers of another hub have joined ${shown}: did you call sse() twice? Export one hub, mount it with app.use(hub), and publish on the same one.`,
        )
      }
    },
    failed: fail,
  })
  const served = { broker, size: (channel: string) => board.size(channel) }

  const runs = new Runs<E>({
    attach: (channels) => board.attach(channels),
    release: (channels) => board.release(channels),
    failed: fail,
  })

  function stream(response: Marked): EventStream<E> {
    mounted = true
    let own: EventStream<E> | undefined
    for (let known: unknown = streamOf(response); known instanceof EventStream; known = known.before) {
      if (known.hub !== hub) mustBeUnused(known)
      else if (own === undefined || !known.unused) own = known
    }
    return own ?? give(response, isFree(response) ? 'sse' : STREAM, streamOf(response))
  }

  /**
   * Adds the stream as an own property, which stays when the response leaves a sub-application. A single one, without a lazy
   * accessor: each property added to an Express response costs 2 µs and a kilobyte of garbage, a stream only 0.4 µs.
   */
  function give(
    response: Marked,
    key: 'sse' | typeof STREAM,
    before: EventStream<unknown> | undefined,
  ): EventStream<E> {
    const created = new EventStream<E>(hub, board, response, before)
    Object.defineProperty(response, key, { configurable: true, value: created })
    return created
  }

  function middleware(
    request: Pick<IncomingMessage, 'headers' | 'method' | 'url'>,
    answer: ServerResponse | Http2ServerResponse,
    next: (error?: unknown) => void,
  ): void {
    const response = marked(answer)
    const sse = look(response, 'sse')
    if (sse instanceof EventStream && sse.hub === hub) {
      next()
      return
    }
    mounted = true
    // `streamOf` would read `res.sse` again, which takes longer than this.
    give(response, 'sse', sse === undefined ? undefined : streamOf(response))
    const lastEventId = look(request, 'method') === 'GET' ? readLastEventId(request) : undefined
    if (!refuseFinal(response, lastEventId)) next()
  }

  const hub: Hub<E> = Object.assign(middleware, {
    streams: board.streams,
    channel: (name: string) => new HubChannel<E>(name, board, runs),
    stream: (response: ServerResponse | Http2ServerResponse) => stream(marked(response)),
    on: <N extends keyof HubEvents<E>>(event: N, listener: (...args: HubEvents<E>[N]) => void) =>
      emitter.on(event, listener),
    stats: () => ({ streams: board.streams.size, channels: board.channels, published, gaps }),
    async cursor() {
      const { epoch, head } = await broker.read([], undefined)
      return formatCursor(epoch, head)
    },
    close({ within }: CloseOptions = {}) {
      board.closing = true
      runs.close()
      // NaN, from a setting that is not a number, counts as 0.
      const window = Math.min(within || 0, MAX_DELAY)
      const until = performance.now() + window
      closed ??= closeStreams([...board.streams], window, () => board.jitteredRetry()).then(async () => {
        const closing = broker.close()
        if (within === undefined) return closing
        // Calls in progress go on, but are no longer waited for.
        let timer: NodeJS.Timeout | undefined
        const late = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, Math.max(until - performance.now(), 0))
        })
        await Promise.race([closing, late]).finally(() => clearTimeout(timer))
      })
      return closed
    },
  })
  Object.defineProperty(hub, 'name', { value: 'sse' })
  return hub
}

const warn = (warning: unknown): void =>
  process.emitWarning(warning instanceof Error ? warning : String(warning), { type: 'SseWarning' })
