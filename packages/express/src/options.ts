import type { IncomingMessage } from 'node:http'
import type { AnyContract, Contract } from '@sse/contract'
import type { Broker } from './broker.ts'
import type { Retention } from './history.ts'
import type { Limits } from './limits.ts'
import { memoryBroker } from './memory-broker.ts'
import { checkNames, milliseconds, number } from './option-checks.ts'
import { readClient } from './request.ts'

/** What a channel keeps for readers who come back, within all three bounds. */
export interface HistoryOptions {
  /** Events. @defaultValue 1,000 */
  readonly length?: number | undefined
  /** Bytes on the wire. @defaultValue 1,000,000 */
  readonly bytes?: number | undefined
  /** Milliseconds. @defaultValue 300,000 (five minutes) */
  readonly age?: number | undefined
}

/** The options of {@link sse}. */
export interface SseOptions<E> {
  /** The contract of this hub's events. Without it, any event name and any JSON is accepted. */
  readonly events?: (E & AnyContract) | undefined
  /**
   * What every channel keeps, or a function that decides by the channel's name. `false` keeps nothing, for events that need
   * no replay (typing, presence).
   * @defaultValue the defaults of {@link HistoryOptions}
   */
  readonly history?: HistoryOptions | false | ((channel: string) => HistoryOptions | false) | undefined
  /** Where logs are kept, and which servers share them. @defaultValue `memoryBroker()` */
  readonly broker?: Broker | undefined
  /** How long a stream may be quiet before it sends `sse.live`, in milliseconds. @defaultValue 15,000 */
  readonly heartbeat?: number | undefined
  /** About how long clients wait before they reconnect, in milliseconds; jittered for each. @defaultValue 2,000 */
  readonly retry?: number | undefined
  /**
   * How long a reader may accept no data before it is disconnected, to resume with its cursor; in milliseconds.
   * @defaultValue 30,000
   */
  readonly stallTimeout?: number | undefined
  /** Limits of this server. @defaultValue the defaults of {@link Limits} */
  readonly limits?: { readonly [N in keyof Limits]?: Limits[N] | undefined } | undefined
  /**
   * Identifies the client of a request, for `limits.streamsPerClient`. Where it returns `undefined`, say for a user who is
   * not signed in, the default is used. @defaultValue `req.ip`, else the socket's address
   */
  readonly client?: ((request: IncomingMessage) => string | undefined) | undefined
}

/** Options with every default in place. */
export interface ResolvedOptions {
  readonly contract: Contract | undefined
  readonly retentionOf: (channel: string) => Retention
  readonly broker: Broker
  readonly heartbeat: number
  readonly retry: number
  readonly stallTimeout: number
  readonly limits: Limits
  readonly client: (request: IncomingMessage) => string
}

/** The known options, as keys, so that the compiler reports a missing one. */
const OPTIONS: Readonly<Record<keyof SseOptions<unknown>, true>> = {
  events: true,
  history: true,
  broker: true,
  heartbeat: true,
  retry: true,
  stallTimeout: true,
  limits: true,
  client: true,
}
const HISTORY: Readonly<Record<keyof HistoryOptions, true>> = { length: true, bytes: true, age: true }
const LIMITS: Readonly<Record<keyof Limits, true>> = {
  streams: true,
  streamsPerClient: true,
  channelsPerStream: true,
  channelName: true,
  eventBytes: true,
  replayEvents: true,
  replayBytes: true,
}

const BROKER_METHODS: readonly (keyof Broker)[] = ['publish', 'attach', 'detach', 'read', 'close']

const NOTHING_KEPT: Retention = { length: 0, bytes: 0, age: 0 }

/** @throws TypeError for an invalid value */
export function resolveOptions<E>(options: SseOptions<E>): ResolvedOptions {
  if ('httpVersion' in options)
    throw new TypeError(
      'sse() returns the middleware, it is not the middleware itself: app.use(sse()), not app.use(sse).',
    )
  checkNames('', options, OPTIONS)
  const { broker = memoryBroker(), events, history = {}, client } = options
  if (events !== undefined && !('definitions' in events))
    throw new TypeError('events must be a contract: pass what defineEvents({ … }) returns.')
  for (const method of BROKER_METHODS) {
    if (typeof Reflect.get(broker, method) !== 'function')
      throw new TypeError(`broker must be a broker, such as memoryBroker(): it has no ${method}().`)
  }
  const known = typeof history === 'function' ? undefined : retention(history)
  // If nothing is kept, no event is too large for it.
  const historyBytes = known?.bytes || Number.POSITIVE_INFINITY
  const limits = resolveLimits(options.limits ?? {}, historyBytes)
  return {
    contract: events,
    retentionOf:
      typeof history === 'function' ? (channel) => retention(history(channel)) : () => known ?? NOTHING_KEPT,
    broker,
    heartbeat: milliseconds('heartbeat', options.heartbeat ?? 15_000),
    retry: milliseconds('retry', options.retry ?? 2_000),
    stallTimeout: milliseconds('stallTimeout', options.stallTimeout ?? 30_000),
    limits,
    client: (request) => client?.(request) ?? readClient(request),
  }
}

function retention(history: HistoryOptions | false): Retention {
  if (history === false) return NOTHING_KEPT
  checkNames('history.', history, HISTORY)
  return {
    length: number('history.length', history.length ?? 1_000, 0),
    bytes: number('history.bytes', history.bytes ?? 1_000_000, 0),
    age: number('history.age', history.age ?? 300_000, 0),
  }
}

function resolveLimits(limits: NonNullable<SseOptions<unknown>['limits']>, historyBytes: number): Limits {
  checkNames('limits.', limits, LIMITS)
  const eventBytes = number('limits.eventBytes', limits.eventBytes ?? Math.min(262_144, historyBytes), 1)
  if (eventBytes > historyBytes) {
    throw new TypeError(
      `limits.eventBytes (${eventBytes}) exceeds history.bytes (${historyBytes}), so that one event could push out a whole history: raise history.bytes or lower limits.eventBytes.`,
    )
  }
  return {
    streams: number('limits.streams', limits.streams ?? Number.POSITIVE_INFINITY, 0),
    streamsPerClient: number(
      'limits.streamsPerClient',
      limits.streamsPerClient ?? Number.POSITIVE_INFINITY,
      0,
    ),
    channelsPerStream: number('limits.channelsPerStream', limits.channelsPerStream ?? 100, 1),
    channelName: number('limits.channelName', limits.channelName ?? 200, 1),
    eventBytes,
    replayEvents: number('limits.replayEvents', limits.replayEvents ?? 10_000, 0),
    replayBytes: number('limits.replayBytes', limits.replayBytes ?? 16 * 1024 * 1024, 0),
  }
}
