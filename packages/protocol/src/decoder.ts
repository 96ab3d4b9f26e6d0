/** An event as it is dispatched. */
export interface DecodedEvent {
  /** `message` if the stream gave no name. */
  readonly event: string
  readonly data: string
  /** The last event id of the stream at this event; it holds until another one is sent. `''` if there was none. */
  readonly id: string
}

export interface DecoderOptions {
  readonly onEvent: (event: DecodedEvent) => void
  /** The reconnection time that the server asks for, in milliseconds; any number of digits, so it may be `Infinity`. */
  readonly onRetry?: ((milliseconds: number) => void) | undefined
  /** The last event id to start from. @defaultValue `''` */
  readonly lastEventId?: string | undefined
  /**
   * How long an incomplete event may grow, in UTF-16 code units.
   * @defaultValue 16 Mi
   */
  readonly maxLength?: number | undefined
}

/** Decodes one event stream, chunk by chunk. */
export interface Decoder {
  /** The current last event id, even if an event without data set it. */
  readonly lastEventId: string
  /**
   * Takes the next chunk: bytes, or decoded text without its byte order mark (not both on one stream). If a callback throws,
   * so does this, and the rest of the chunk is lost.
   *
   * @throws RangeError if an event outgrows `maxLength`, and for every chunk after it: the rest of a line that was cut off
   *   could be mistaken for another event
   */
  feed(chunk: string | Uint8Array): void
}

/**
 * Creates a decoder for one connection. An event that is incomplete when the stream ends is dropped, as the standard says.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function createDecoder(options: DecoderOptions): Decoder {
  const { onEvent, onRetry, maxLength = 2 ** 24 } = options
  let { lastEventId = '' } = options
  const utf8 = new TextDecoder()
  let id = lastEventId
  let event = ''
  /** The data lines so far, each followed by LF. */
  let data = ''
  /** The LF of a CRLF that two chunks may have split: skipped if the next chunk begins with it. */
  let skipped = ''
  /** A line whose end has not arrived. Only new text is searched for the end, so that the time stays linear over many chunks. */
  let line = ''

  function feed(chunk: string | Uint8Array): void {
    let text = typeof chunk === 'string' ? chunk : utf8.decode(chunk, { stream: true })
    if (text === '') return
    if (text.startsWith(skipped)) text = text.slice(skipped.length)
    skipped = text.endsWith('\r') ? '\n' : ''
    // Hardly any stream has a CR, and a pattern splits more slowly than a string.
    const lines = text.split(text.includes('\r') ? /\r\n?|\n/ : '\n')
    let ended = lines.length
    for (const part of lines) {
      line += part
      // The line is kept, so that every chunk that follows throws as well.
      if (line.length + data.length > maxLength) {
        throw new RangeError(`An event is longer than ${maxLength}.`)
      }
      ended -= 1
      if (ended > 0) {
        const whole = line
        line = ''
        take(whole)
      }
    }
  }

  function take(text: string): void {
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = text.slice(field.length + (text[field.length + 1] === ' ' ? 2 : 1))
    if (text === '') {
      const whole = data && { event: event || 'message', data: data.slice(0, -1), id }
      lastEventId = id
      data = event = ''
      if (whole) onEvent(whole)
    } else if (field === 'data') data += `${value}\n`
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
    else if (field === 'retry' && /^\d+$/.test(value)) onRetry?.(Number(value))
  }

  return {
    get lastEventId() {
      return lastEventId
    },
    feed,
  }
}
