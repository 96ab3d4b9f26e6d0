import { ProtocolError } from './errors.ts'

/** An event as it was dispatched. */
export interface DecodedEvent {
  /** `message` where the stream named none. */
  readonly event: string
  readonly data: string
  /** The last event id of the stream at this event; it stays until another one is sent. `''` if there was none. */
  readonly id: string
}

export interface DecoderOptions {
  readonly onEvent: (event: DecodedEvent) => void
  /** The reconnection time that the server asks for, in milliseconds; any number of digits, so it may be `Infinity`. */
  readonly onRetry?: ((milliseconds: number) => void) | undefined
  readonly onComment?: ((text: string) => void) | undefined
  /** The last event id to start from. @defaultValue `''` */
  readonly lastEventId?: string | undefined
  /**
   * How long an event that is not complete may grow, in UTF-16 code units.
   * @defaultValue 16 Mi
   */
  readonly maxLength?: number | undefined
}

/** Decodes one event stream, chunk by chunk. */
export interface Decoder {
  /** The last event id as of now, also where an event without data moved it. */
  readonly lastEventId: string
  /**
   * Takes the next chunk: bytes, or text that is decoded already (not both on one stream). What a callback throws, it
   * throws, and the rest of the chunk is lost.
   *
   * @throws {@link ProtocolError} `ERR_SSE_OVERFLOW` if an event outgrows `maxLength`, and for every chunk after it: the
   *   rest of a line that was cut off could pass for another event
   */
  feed(chunk: string | Uint8Array): void
}

const DEFAULT_MAX_LENGTH = 16 * 1024 * 1024

/**
 * A decoder for one connection. What is left of an event when the stream ends is dropped, as the standard asks.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function createDecoder(options: DecoderOptions): Decoder {
  const { onEvent, onRetry, onComment, maxLength = DEFAULT_MAX_LENGTH } = options
  // The byte order mark is stripped below, once for bytes and text alike.
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  let lastEventId = options.lastEventId ?? ''
  let id = lastEventId
  let event = ''
  let data: string | undefined
  /** What is no text if the next chunk begins with it: the byte order mark, or the LF of a CRLF that fell apart. */
  let skipped = '\ufeff'
  let overflow: ProtocolError | undefined
  /** A line whose end has not arrived: appended to, and searched only in what is new, so that many chunks stay linear. */
  let line = ''

  function feed(chunk: string | Uint8Array): void {
    if (overflow) throw overflow
    let text = typeof chunk === 'string' ? chunk : utf8.decode(chunk, { stream: true })
    if (text === '') return
    if (text.startsWith(skipped)) text = text.slice(skipped.length)
    skipped = ''
    // Hardly any stream has a CR, and a pattern splits more slowly than a string.
    const lines = text.split(text.includes('\r') ? /\r\n?|\n/ : '\n')
    const rest = lines.pop() ?? ''
    for (const ended of lines) {
      const whole = line + ended
      line = ''
      takeLine(whole)
    }
    if (text.endsWith('\r')) skipped = '\n'
    line += rest
    limit(line.length)
  }

  function takeLine(text: string): void {
    limit(text.length)
    if (text === '') {
      dispatch()
      return
    }
    const colon = text.indexOf(':')
    const field = colon === -1 ? text : text.slice(0, colon)
    const value = colon === -1 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
    else if (field === 'retry' && /^\d+$/.test(value)) onRetry?.(Number(value))
    else if (colon === 0) onComment?.(value)
  }

  function dispatch(): void {
    lastEventId = id
    const decoded = data === undefined ? undefined : { event: event || 'message', data, id }
    data = undefined
    event = ''
    if (decoded !== undefined) onEvent(decoded)
  }

  function limit(length: number): void {
    if (length + (data?.length ?? 0) <= maxLength) return
    data = undefined
    line = ''
    overflow = new ProtocolError(
      'ERR_SSE_OVERFLOW',
      `An event is longer than ${maxLength} code units: raise maxLength, or send less at a time.`,
    )
    throw overflow
  }

  return {
    get lastEventId() {
      return lastEventId
    },
    feed,
  }
}
