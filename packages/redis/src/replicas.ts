import { type BrokerSink, History, type Reading } from '@sse/express'
import { Horizon } from './horizon.ts'
import type { Note } from './message.ts'
import { Replica } from './replica.ts'
import { isSkipped } from './skipped.ts'
import type { Answer, Findings, Question } from './store.ts'

export interface ReplicasOptions {
  /** Reads channels from Redis. */
  read(questions: readonly Question[]): Promise<Findings>
  /** Whether the subscription is up. */
  hears(): boolean
  /** The time by Redis's clock, in milliseconds since the epoch. */
  now(): number
  /** How long to wait until a position that was read is also heard, in milliseconds. */
  readonly timeout: number
}

/** The position of the log when the last channels were read (`g`), and the first (`from`). */
interface Loaded {
  readonly g: number
  readonly from: number
}

/** How many channels are read in one call. */
const CHUNK = 10

/** Pause before Redis is asked again after a failure, in milliseconds. */
const PAUSE = 250

/**
 * This process's copies of the channels that it serves. They are known to be complete up to the position heard last, since
 * all are heard on one ordered connection. While that is interrupted, the horizon stands still; once it is back, all copies
 * are brought up to date before the horizon moves again.
 */
export class Replicas {
  readonly #options: ReplicasOptions
  readonly #copies = new Map<string, Replica>()
  #epoch = ''
  /** Shared by all copies of an epoch. */
  #horizon = new Horizon(true)
  /** The positions of this epoch after which some were skipped. */
  #skips: readonly number[] = []
  /** Changes whenever a read in progress may return something outdated. */
  #generation = 0

  constructor(options: ReplicasOptions) {
    this.#options = options
  }

  get(channel: string): Replica | undefined {
    return this.#copies.get(channel)
  }

  add(channel: string): Replica {
    const copy = this.#copies.get(channel) ?? new Replica(channel)
    this.#copies.set(channel, copy)
    return copy
  }

  delete(copy: Replica): void {
    this.#copies.delete(copy.channel)
    this.#horizon.unfollow(copy)
  }

  /**
   * The histories of channels and the position of the log. Asks Redis only for what this process cannot know, such as whether
   * a reader's newer epoch exists.
   */
  async read(
    channels: readonly string[],
    after: number | undefined,
    epoch: string | undefined,
  ): Promise<Reading> {
    for (;;) {
      const copies = channels.map((channel) => this.#copies.get(channel) ?? new Replica(channel))
      const unread = copies.filter(({ history }) => history === undefined)
      const isKnown = after !== undefined && after <= this.#horizon.g && (epoch ?? '') <= this.#epoch
      if (unread.length === 0 && isKnown && this.#epoch !== '') {
        return this.#reading(copies, this.#horizon.g, after, epoch)
      }
      const loading = unread.flatMap((copy) => copy.loading ?? [])
      if (loading.length > 0) {
        await Promise.all(loading)
        continue
      }
      const generation = this.#generation
      const known = await this.#load(unread)
      if (known === undefined) continue
      // Copies that existed before, or were read in an earlier call, must first hear everything up to this position.
      if (unread.length < copies.length || known.from < known.g)
        await this.#horizon.until(known.g, this.#options.timeout)
      if (generation !== this.#generation) continue
      return this.#reading(copies, Math.max(known.g, this.#horizon.g), after, epoch)
    }
  }

  /** Reads some channels whole, and the position of the log; other calls for them meanwhile wait for this one. */
  #load(copies: readonly Replica[]): Promise<Loaded | undefined> {
    for (const copy of copies) copy.buffer()
    const loading = this.#loadNow(copies).finally(() => {
      for (const copy of copies) copy.loading = undefined
    })
    for (const copy of copies) copy.loading = loading
    return loading
  }

  /** @returns `undefined` if what was read is of another log, or may lack what was published while not subscribed */
  async #loadNow(copies: readonly Replica[]): Promise<Loaded | undefined> {
    const generation = this.#generation
    let loaded: Loaded | undefined
    // A few at a time, one call after the other: each call blocks all of Redis.
    for (const chunk of copies.length === 0 ? [[]] : chunks(copies)) {
      const questions = chunk.map(({ channel }) => ({ channel, after: undefined }))
      const { answers, known, skips } = await this.#options.read(questions)
      if (generation !== this.#generation || known.epoch !== this.#epoch) return undefined
      this.#skips = skips
      for (const [index, copy] of chunk.entries()) {
        const answer = answers[index]
        if (answer !== undefined) copy.install(answer, this.#horizon)
        this.#horizon.follow(copy, known.g)
      }
      loaded = { g: known.g, from: loaded?.from ?? known.g }
    }
    return loaded
  }

  /** The log's epoch was seen. */
  learn(epoch: string): void {
    if (epoch <= this.#epoch) return
    const first = this.#epoch === ''
    this.#epoch = epoch
    if (!first) this.#startOver()
  }

  /** A channel has grown. */
  hear(channel: string, note: Note): void {
    this.learn(note.epoch)
    if (note.epoch !== this.#epoch) return
    const copy = this.#copies.get(channel)
    const complete = copy?.hear(note, (g) => this.#offer(copy, g)) ?? true
    if (complete || this.#horizon.frozen) this.#offer(copy, note.g)
    // If readers may have passed what is missing, only a reset announces it to them.
    else if (this.#horizon.g >= note.previous) this.#startOver()
    else this.regained()
  }

  /** Offers readers what was heard, unless something before it may be missing. */
  #offer(copy: Replica | undefined, g: number): void {
    if (this.#horizon.reach(g)) copy?.changed()
  }

  /** A beacon with the position of the log was heard. */
  hearBeacon(epoch: string, g: number): void {
    this.learn(epoch)
    if (epoch === this.#epoch) this.#horizon.reach(g)
  }

  /** From now on something may be missed. */
  lost(): void {
    this.#nextGeneration()
    this.#freeze()
  }

  /** Everything is heard again, from now on. */
  regained(): void {
    this.#nextGeneration()
    this.#freeze()
    this.#catchUp(this.#generation)
  }

  close(): void {
    this.#nextGeneration()
    for (const copy of this.#copies.values()) {
      clearTimeout(copy.linger)
      this.delete(copy)
    }
  }

  #nextGeneration(): void {
    this.#generation += 1
    this.#horizon.release()
  }

  #freeze(): void {
    this.#horizon.freeze()
    for (const copy of this.#loaded) copy.buffer()
  }

  async #catchUp(generation: number): Promise<void> {
    while (generation === this.#generation) {
      const copies = this.#loaded
      // The reply will include what was heard before the call: do not collect it while Redis is unreachable.
      for (const copy of copies) copy.buffer()
      try {
        const readings = await this.#readOn(copies)
        if (generation === this.#generation) this.#resume(copies, readings)
        return
      } catch {
        // Not reported: callers that need Redis fail themselves. Try for as long as it takes.
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
      }
    }
  }

  /** Reads what the copies lack. */
  async #readOn(copies: readonly Replica[]): Promise<readonly Findings[]> {
    const questions = copies.map(({ channel, last }) => ({
      channel,
      after: Math.max(last, this.#horizon.g),
    }))
    const readings: Findings[] = []
    // One after the other: each call may take the full timeout, however many channels there are.
    for (const chunk of chunks(questions)) readings.push(await this.#options.read(chunk))
    return readings
  }

  #resume(copies: readonly Replica[], readings: readonly Findings[]): void {
    const answers: readonly Answer[] = readings.flatMap((reading) => reading.answers)
    // The position up to which none of the copies lacks anything.
    const head = readings.length === 0 ? 0 : Math.min(...readings.map(({ known }) => known.g))
    this.#skips = readings.at(-1)?.skips ?? this.#skips
    for (const [index, copy] of copies.entries()) {
      const answer = answers[index]
      if (answer !== undefined) copy.install(answer, this.#horizon)
    }
    // A copy that was read meanwhile may be complete to a lower position only: then wait for what is heard next.
    const readOn = new Set(copies)
    const complete = this.#loaded.every((copy) => readOn.has(copy))
    this.#horizon.thaw(complete ? head : 0)
    for (const copy of copies) copy.changed()
  }

  /** Drops all copies; hubs must read again. */
  #startOver(): void {
    const sinks = new Set<BrokerSink>()
    for (const copy of this.#copies.values()) {
      copy.drop()
      for (const sink of copy.sinks) sinks.add(sink)
    }
    this.#nextGeneration()
    this.#horizon = new Horizon(!this.#options.hears())
    this.#skips = []
    for (const sink of sinks) sink.reset()
  }

  /** The copies that have been read. */
  get #loaded(): readonly Replica[] {
    return [...this.#copies.values()].filter(({ history }) => history !== undefined)
  }

  #reading(
    copies: readonly Replica[],
    head: number,
    after: number | undefined,
    epoch: string | undefined,
  ): Reading {
    const now = this.#options.now()
    const histories = new Map<string, History>()
    for (const copy of copies) {
      copy.expire(now)
      histories.set(copy.channel, copy.history ?? new History(this.#horizon))
    }
    const lost = epoch === this.#epoch && after !== undefined && isSkipped(after, this.#skips)
    return { epoch: this.#epoch, head, histories, lost }
  }
}

function chunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = []
  for (let start = 0; start < items.length; start += CHUNK) parts.push(items.slice(start, start + CHUNK))
  return parts
}
