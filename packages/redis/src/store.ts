import { createEntry, type Entry } from '@sse/express'
import { decodeMessage, decodeRun } from './message.ts'
import { type Known, Positions } from './positions.ts'
import { encodeRun, joinRuns, type Publication } from './publication.ts'
import { publishScript } from './publish-script.ts'
import { readScript, sweepScript } from './read-script.ts'
import type { Script, ScriptRunner } from './script.ts'
import { parseSkips } from './skipped.ts'

/** A channel to read. */
export interface Question {
  readonly channel: string
  /** Only entries after this position are wanted; `undefined` for all. */
  readonly after: number | undefined
}

/** What Redis has stored of a channel. */
export interface Answer {
  /** Whether these are all entries retained, not just those after the position asked for. */
  readonly whole: boolean
  readonly last: number
  readonly origin: number
  readonly evicted: number
  /** Milliseconds that entries are kept. */
  readonly age: number
  /** In their order. */
  readonly entries: readonly Entry[]
}

/** The result of a read: the position of the log, and an answer to each question. */
export interface Findings {
  readonly known: Known
  readonly answers: readonly Answer[]
  /** The positions after which some were skipped, since they may have been published and lost. */
  readonly skips: readonly number[]
}

export interface StoreEvents {
  /** A reply has arrived, with the time by the server's clock; called before the caller gets it. */
  learned(known: Known, at: number): void
  /** A log was abandoned for a new one: its keys must be swept by this process. */
  abandoned(epoch: string): void
}

interface Outcome {
  readonly known: Known
  readonly rest: unknown
  readonly runs: unknown
}

/** The log in Redis: encodes the scripts' arguments, and decodes their replies. */
export class Store {
  readonly #prefix: string
  readonly #events: StoreEvents
  readonly #seen: Positions = new Positions()

  constructor(prefix: string, events: StoreEvents) {
    this.#prefix = prefix
    this.#events = events
  }

  /** The key that scripts are sent with; they build all others from it, in the same slot. */
  get key(): string {
    return `{${this.#prefix}}:meta`
  }

  /** The topic for a channel's notes, for beacons, or for messages between processes. */
  topic(kind: 'channel' | 'beacon' | 'peers', name: string): string {
    return `{${this.#prefix}}:${kind}:${name}`
  }

  /** Remembers a position of the log. It is sent with every call, for the scripts to compare it with the log. */
  observe(known: Known): void {
    this.#seen.add(known)
  }

  /**
   * Appends messages in their order.
   *
   * @param sequence - the number of this call; the same when it is repeated
   * @returns their positions, 0 if the channel had ended, and the epoch of these
   */
  async publish(
    runner: ScriptRunner,
    publisher: string,
    sequence: number,
    publications: readonly Publication[],
  ): Promise<{ readonly epoch: string; readonly positions: readonly number[] }> {
    const runs = joinRuns(publications)
    const args = [publisher, String(sequence), ...runs.flatMap(encodeRun)]
    const { known, rest } = await this.#call(publishScript, runner, args)
    const firsts = String(rest).split(',').map(Number)
    const positions = runs.flatMap((run, at) => {
      const first = firsts[at] ?? 0
      return run.map((_, index) => (first === 0 ? 0 : first + index))
    })
    return { epoch: known.epoch, positions }
  }

  /**
   * Reads channels, and the position of the log.
   *
   * @param topic - a beacon's topic on which the position is published as well
   */
  async read(
    runner: ScriptRunner,
    questions: readonly Question[],
    topic: string | undefined,
  ): Promise<Findings> {
    const args = [topic === undefined ? '' : `beacon:${topic}`]
    for (const { after = -1, channel } of questions) args.push(channel, String(after))
    const { known, rest, runs } = await this.#call(readScript, runner, args)
    const answers = list(rest).map((answer) => decodeAnswer(known.epoch, list(answer)))
    return { known, answers, skips: parseSkips(String(runs)) }
  }

  /** Removes the keys of an abandoned log, a few at a time. */
  async sweep(runner: ScriptRunner, epoch: string): Promise<void> {
    let cursor = '0'
    do cursor = String(await sweepScript.run(runner, this.key, [epoch, cursor]))
    while (cursor !== '0')
  }

  async #call(script: Script, runner: ScriptRunner, args: readonly string[]): Promise<Outcome> {
    const { epoch } = this.#seen
    const seen = this.#seen.toString()
    const reply = await script.run(runner, this.key, [epoch, seen, chance(), ...args])
    const [newEpoch, newRun, at, g, rest, abandoned, runs] = list(reply)
    const known = { epoch: String(newEpoch), run: String(newRun), g: Number(g) }
    this.#seen.confirm(known, epoch, seen)
    this.#events.learned(known, Number(at))
    if (String(abandoned) !== '') this.#events.abandoned(String(abandoned))
    return { known, rest, runs }
  }
}

function decodeAnswer(epoch: string, answer: readonly unknown[]): Answer {
  const [whole, last, origin, evicted, age, lastWord, events, states] = answer
  const entries: Entry[] = []
  const runs = list(events).map(String)
  for (let i = 0; i < runs.length; i += 4) {
    const [id = '', at = '', lengths = '', text = ''] = runs.slice(i, i + 4)
    const [last = 0, before = 0] = id.split('-').map(Number)
    const run = decodeRun(epoch, last - before, Number(at), lengths.split(' ').map(Number), text)
    // The first ones may be dropped already.
    entries.push(...run.filter(({ g }) => g > Number(evicted)))
  }
  for (const state of list(states)) entries.push(decodeLine(epoch, String(state), 3))
  if (String(lastWord) !== '') entries.push(decodeLine(epoch, String(lastWord), 2))
  entries.sort((a, b) => a.g - b.g)
  return {
    whole: Number(whole) === 1,
    last: Number(last),
    origin: Number(origin),
    evicted: Number(evicted),
    age: Number(age),
    entries,
  }
}

/** An entry as it is stored in one string: some figures, the first two its position and time, and the message. */
function decodeLine(epoch: string, line: string, figures: number): Entry {
  let start = 0
  for (let i = 0; i < figures; i++) start = line.indexOf(' ', start) + 1
  const [g, at] = line.slice(0, start).split(' ').map(Number)
  return createEntry(decodeMessage(line.slice(start)), epoch, g ?? 0, at ?? 0)
}

const chance = (): string =>
  Math.floor(Math.random() * 36 ** 5)
    .toString(36)
    .padStart(5, '0')

const list = (reply: unknown): readonly unknown[] => {
  if (!Array.isArray(reply)) throw new TypeError(`Redis answered ${typeof reply} where a list was expected.`)
  return reply
}
