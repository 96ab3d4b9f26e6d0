import type { Seen } from './collect.ts'

/**
 * The standard's algorithm word for word, over a stream that arrived whole: slow, and plain enough to be read beside it.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function interpret(stream: string): Seen {
  const events: { event: string; data: string; id: string }[] = []
  const retries: number[] = []
  const comments: string[] = []
  let lastEventId = ''
  let dataBuffer = ''
  let eventTypeBuffer = ''
  let lastEventIdBuffer = ''

  const withoutMark = stream.replace(/^\uFEFF/, '')
  // The last piece had no line end, so it is no line.
  const lines = withoutMark.split(/\r\n|\n|\r/).slice(0, -1)
  for (const line of lines) {
    if (line === '') {
      // Dispatch the event.
      lastEventId = lastEventIdBuffer
      if (dataBuffer !== '') {
        events.push({
          event: eventTypeBuffer || 'message',
          data: dataBuffer.replace(/\n$/, ''),
          id: lastEventId,
        })
      }
      dataBuffer = ''
      eventTypeBuffer = ''
    } else if (line.startsWith(':')) {
      // Ignore the line. The standard has no say in how a comment is read; here, as a field's value.
      comments.push(line.slice(1).replace(/^ /, ''))
    } else {
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
      if (field === 'event') eventTypeBuffer = value
      if (field === 'data') dataBuffer += `${value}\n`
      if (field === 'id' && !value.includes('\0')) lastEventIdBuffer = value
      if (field === 'retry' && /^[0-9]+$/.test(value)) retries.push(Number.parseInt(value, 10))
    }
  }
  return { events, retries, comments, lastEventId }
}
