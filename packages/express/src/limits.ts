import { SseError } from './errors.ts'

/** Limits of this server. What exceeds one is refused with an {@link SseError} of the status given here. */
export interface Limits {
  /** Streams of this server (503). @defaultValue unlimited */
  readonly streams: number
  /** Streams of one client (503). @defaultValue unlimited */
  readonly streamsPerClient: number
  /** Channels of one stream (400). @defaultValue 100 */
  readonly channelsPerStream: number
  /** Length of a channel's name, in UTF-16 code units (400). @defaultValue 200 */
  readonly channelName: number
  /**
   * Bytes of the data of one event (413). Each line of a text after the first counts seven more, for its field name and end.
   *
   * @defaultValue 262,144, or the history's bytes if these are fewer
   */
  readonly eventBytes: number
  /** Events replayed to one stream, states not counted; the rest is announced as missing. @defaultValue 10,000 */
  readonly replayEvents: number
  /** Bytes replayed to one stream, states not counted; the rest is announced as missing. @defaultValue 16 Mi */
  readonly replayBytes: number
}

/** @throws {@link SseError} `ERR_SSE_CHANNEL_NAME`, `ERR_SSE_TOO_MANY_CHANNELS` */
export function checkChannels(limits: Limits, channels: readonly string[]): void {
  // Names often come from a query string, which may have none, or be parsed to an object.
  if (!Array.isArray(channels) || channels.length === 0) {
    const shown = Array.isArray(channels) ? 'none' : typeof channels
    throw new SseError('ERR_SSE_CHANNEL_NAME', 400, `Name at least one channel to join, got ${shown}.`)
  }
  checkChannelCount(limits, channels.length)
  for (const channel of channels) {
    if (isName(channel) && channel.length <= limits.channelName) continue
    const shown = typeof channel === 'string' ? JSON.stringify(channel.slice(0, 40)) : typeof channel
    throw new SseError(
      'ERR_SSE_CHANNEL_NAME',
      400,
      `A channel's name is a string of 1 to ${limits.channelName} characters (limits.channelName), got ${shown}.`,
    )
  }
}

/** Not with half a surrogate pair: in UTF-8, all of them become the same character, and so would the names. */
const isName = (channel: unknown): channel is string =>
  typeof channel === 'string' && channel !== '' && !/\p{Surrogate}/u.test(channel)

/** @throws {@link SseError} `ERR_SSE_TOO_MANY_CHANNELS` */
export function checkChannelCount({ channelsPerStream }: Limits, count: number): void {
  if (count <= channelsPerStream) return
  throw new SseError(
    'ERR_SSE_TOO_MANY_CHANNELS',
    400,
    `A stream may join ${channelsPerStream} channels, not ${count}: raise limits.channelsPerStream.`,
  )
}

/** The bytes that each further line of data adds: its field name and line end. */
const LINE = 'data: \n'.length

/** @throws {@link SseError} `ERR_SSE_EVENT_TOO_LARGE` */
export function checkBytes({ eventBytes }: Limits, event: string, data: string): void {
  // A code unit is at most three bytes, or ends a line: most events are too short to need counting.
  if (data.length * (LINE + 1) <= eventBytes) return
  const lines = data.match(/\r\n|[\r\n]/g)?.length ?? 0
  if (Buffer.byteLength(data) + lines * LINE <= eventBytes) return
  throw new SseError(
    'ERR_SSE_EVENT_TOO_LARGE',
    413,
    `The data of '${event}' is longer than ${eventBytes} bytes (limits.eventBytes): send a reference to fetch instead, or raise the limit.`,
  )
}
