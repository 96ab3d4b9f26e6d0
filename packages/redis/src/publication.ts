import { createEntry, type Message, type Retention } from '@sse/express'
import { encodeMessage } from './message.ts'

/** One message, as the script needs it. */
export interface Publication {
  readonly channel: string
  /** The channel's retention: length, bytes, age. */
  readonly retention: string
  readonly kind: 'end' | 'event' | 'remove' | 'state'
  /** The state that it sets or removes; empty for none. */
  readonly subject: string
  /** The bytes of its block without the id. */
  readonly body: number
  readonly text: string
}

/** @throws what the wire format refuses */
export function encodePublication(channel: string, message: Message, retention: Retention): Publication {
  const { body, frame, subject, voids } = createEntry(message, '', 0, 0)
  const { age, bytes, length } = retention
  return {
    channel,
    retention: `${figure(length)} ${figure(bytes)} ${figure(age)}`,
    kind: message.kind === 'event' && subject !== undefined ? 'state' : message.kind,
    subject: message.kind === 'end' ? '' : name(subject ?? voids),
    body: frame.length - body,
    text: encodeMessage(message),
  }
}

/** The most characters of one run: all of it stays stored as long as any of it is retained. */
const RUN = 16_384

/** Joins consecutive events of one channel to runs, so that each costs the script next to nothing. */
export function joinRuns(publications: readonly Publication[]): readonly (readonly Publication[])[] {
  const runs: Publication[][] = []
  let run: Publication[] = []
  let size = 0
  for (const publication of publications) {
    const former = run.at(-1)
    size += publication.text.length
    if (former === undefined || !mayFollow(former, publication) || size > RUN) {
      run = []
      size = publication.text.length
      runs.push(run)
    }
    run.push(publication)
  }
  return runs
}

/** The script's arguments for a run. */
export function encodeRun(run: readonly Publication[]): readonly string[] {
  const [first] = run
  if (first === undefined) return []
  const { channel, kind, retention, subject } = first
  const total = run.reduce((sum, { body }) => sum + body, 0)
  const bodies = run.map(({ body }) => body).join(' ')
  const lengths = run.map(({ text }) => text.length).join(' ')
  const count = String(run.length)
  return [
    channel,
    retention,
    kind,
    subject,
    count,
    String(total),
    bodies,
    lengths,
    run.map(({ text }) => text).join(''),
  ]
}

const mayFollow = (a: Publication, b: Publication): boolean =>
  a.kind === 'event' && b.kind === 'event' && a.channel === b.channel && a.retention === b.retention

/** A bound as the script takes it: an integer, even for infinity. */
const figure = (bound: number): string => String(Math.ceil(Math.min(bound, 1e14)))

/** A subject as well-formed text, in which half a surrogate pair is escaped. */
const name = (subject: string | undefined): string => (subject === undefined ? '' : JSON.stringify(subject))
