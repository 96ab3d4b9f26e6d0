import { encodeControl, encodeEvent } from '@sse/protocol'
import { formatCursor } from './cursor.ts'

/** What is published to a channel, before it has a position. */
export type Message =
  | {
      readonly kind: 'event'
      readonly event: string
      readonly data: string
      readonly key: string | undefined
    }
  /** Removes the state of this key. */
  | { readonly kind: 'remove'; readonly event: string; readonly key: string }
  /** Ends the channel. */
  | { readonly kind: 'end'; readonly reason: string }

/** One entry of a channel's log: its position, and the bytes that every reader is sent. */
export interface Entry {
  readonly g: number
  /** When it was published, in milliseconds since the epoch. */
  readonly at: number
  /** What it stands for: entries of one subject supersede each other; `undefined` where every entry counts. */
  readonly subject: string | undefined
  /** The subject that it makes void. */
  readonly voids: string | undefined
  /** Why the channel ended; `undefined` for every other entry. */
  readonly end: string | undefined
  /** The block with its id; empty for an end, which is not sent, and once the entry is gone. */
  frame: Buffer
  /** Where the block without its id begins in `frame`. */
  readonly body: number
  /** Whether it was superseded or dropped. Its place in the order stays until the log is compacted. */
  gone: boolean
}

const EMPTY = Buffer.alloc(0)

/**
 * Makes the bytes of an entry, once for all its readers. The id comes first, so that the block without it is a slice.
 *
 * A hot path: all entries are made in one place, since objects that were copied with `...` cost several times as much.
 */
export function createEntry(message: Message, epoch: string, g: number, at: number): Entry {
  const id = `id: ${formatCursor(epoch, g)}\n`
  let subject: string | undefined
  let voids: string | undefined
  let end: string | undefined
  let frame: Buffer = EMPTY
  if (message.kind === 'end') {
    subject = 'end'
    end = message.reason
  } else if (message.kind === 'remove') {
    const { event, key } = message
    voids = subjectOf(event, key)
    frame = Buffer.from(id + encodeControl('sse.remove', { event, key }))
  } else {
    const { event, data, key } = message
    if (key !== undefined) subject = subjectOf(event, key)
    frame = Buffer.from(id + encodeEvent({ event, data }))
  }
  const body = frame === EMPTY ? 0 : id.length
  return { g, at, subject, voids, end, frame, body, gone: false }
}

/** Takes the bytes out of an entry that is superseded or dropped. */
export function discard(entry: Entry): void {
  entry.gone = true
  entry.frame = EMPTY
}

/** No event name has NUL, so no two subjects are the same by chance. */
const subjectOf = (event: string, key: string): string => `${event}\0${key}`
