import { createEntry, type Message, type Retention } from '@sse/express'
import { encodeMessage } from './message.ts'

/** One message on its way: what the script is told of it. */
export interface Publication {
  readonly channel: string
  /** The channel's bounds: length, bytes, age. */
  readonly retention: string
  readonly kind: 'end' | 'event' | 'remove' | 'state'
  /** What it stands for, or makes void. */
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

/** Characters of one run: as long as something of it is retained, all of it is stored. */
const RUN = 16_384

/** What follows each other on one channel goes together, so that each message costs the script next to nothing. */
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

/** A bound as Redis takes it: a whole number, also for no bound at all. */
const figure = (bound: number): string => String(Math.ceil(Math.min(bound, 1e14)))

/** What tells subjects apart, in well-formed text. */
const name = (subject: string | undefined): string => (subject === undefined ? '' : JSON.stringify(subject))
