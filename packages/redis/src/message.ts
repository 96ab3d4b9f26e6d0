import { createEntry, type Entry, type Message, type Retention } from '@sse/express'

/** A message as it is stored: its kind, event and key on the first line, then its text unchanged. */
export function encodeMessage(message: Message): string {
  if (message.kind === 'end') return `["end"]\n${message.reason}`
  const { event, kind, key } = message
  const head = JSON.stringify(key === undefined ? [kind, event] : [kind, event, key])
  return `${head}\n${message.kind === 'event' ? message.data : ''}`
}

/** Reads back what {@link encodeMessage} made. */
export function decodeMessage(text: string): Message {
  const line = text.indexOf('\n')
  const [kind, event = '', key]: string[] = JSON.parse(text.slice(0, line))
  const rest = text.slice(line + 1)
  if (kind === 'end') return { kind, reason: rest }
  if (kind === 'remove') return { kind, event, key: key ?? '' }
  return { kind: 'event', event, data: rest, key }
}

/** What is published on the topic of a channel when it grows. */
export interface Note {
  readonly epoch: string
  /** The run of the primary that published it. */
  readonly run: string
  /** The position before it on the same channel; a listener who did not hear that one has missed something. */
  readonly previous: number
  /** The position of its last entry. */
  readonly g: number
  /** In their order. */
  readonly entries: readonly Entry[]
  readonly retention: Retention
}

/** Reads a note as the script writes it: a line of figures, the messages' lengths last, then the messages. */
export function decodeNote(text: string): Note {
  const line = text.indexOf('\n')
  const [epoch = '', run = '', ...figures] = text.slice(0, line).split(' ')
  const [at = 0, length = 0, bytes = 0, age = 0, previous = 0, first = 0, ...lengths] = figures.map(Number)
  const entries = decodeRun(epoch, first, at, lengths, text.slice(line + 1))
  const g = first + entries.length - 1
  return { epoch, run, g, previous, entries, retention: { length, bytes, age } }
}

/** Reads concatenated messages by their lengths; `first` is the position of the first one. */
export function decodeRun(
  epoch: string,
  first: number,
  at: number,
  lengths: readonly number[],
  text: string,
): readonly Entry[] {
  let start = 0
  return lengths.map((length, index) => {
    const message = decodeMessage(text.slice(start, start + length))
    start += length
    return createEntry(message, epoch, first + index, at)
  })
}
