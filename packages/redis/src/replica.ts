import { type BrokerSink, type Head, History } from '@sse/express'
import type { Note } from './message.ts'
import type { Answer } from './store.ts'

/** This process's copy of one channel: read once, and kept up to date by what is heard since. */
export class Replica {
  readonly channel: string
  readonly sinks: Set<BrokerSink> = new Set()
  /** `undefined` until it is read. */
  history: History | undefined
  /** While the copy is being read: settles when that is done. */
  loading: Promise<unknown> | undefined
  /** The timer that ends a copy without sinks. */
  linger: NodeJS.Timeout | undefined
  /** The position up to which nothing is missing. */
  #last = 0
  /** Milliseconds that entries are kept. */
  #age = Number.POSITIVE_INFINITY
  /** Whether there may be states. */
  #stateful = false
  /** Notes heard while the copy is being read, which may be newer than what is read. */
  #early: Note[] | undefined

  constructor(channel: string) {
    this.channel = channel
  }

  get last(): number {
    return this.#last
  }

  /** Keeps what is heard from now on for {@link install}. */
  buffer(): void {
    this.#early = []
  }

  /** Takes what was read, and what was heard meanwhile. */
  install(answer: Answer, head: Head): void {
    const early = this.#early ?? []
    this.#early = undefined
    this.#age = answer.age
    this.#stateful ||= answer.entries.some(({ subject }) => subject !== undefined)
    if (this.history === undefined || answer.whole) {
      this.history ??= new History(head, answer.origin)
      this.history.replace(answer.entries, answer.evicted)
    } else {
      const { age, entries } = answer
      const retention = { age, length: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
      for (const entry of entries) if (entry.g > this.#last) this.history.append(entry, retention)
      this.history.evicted = Math.max(this.history.evicted, answer.evicted)
    }
    this.#last = Math.max(this.#last, answer.last)
    // Includes entries that are gone: a reader that joins now has not missed them.
    this.history.last = Math.max(this.history.last, this.#last)
    // Without an offer: whether these positions are within the horizon is not known here.
    for (const note of early) this.hear(note, () => {})
  }

  /** Forgets the copy, which will be read again. */
  drop(): void {
    this.history = undefined
    this.#early = undefined
    this.#last = 0
    this.#stateful = false
  }

  /**
   * @param offer - offers readers what was heard up to a position, before some of it is dropped
   * @returns `false` if something before it was not heard
   */
  hear(note: Note, offer: (g: number) => void): boolean {
    if (this.#early !== undefined) {
      this.#early.push(note)
      return true
    }
    if (this.history === undefined || note.g <= this.#last) return true
    if (note.previous > this.#last) return false
    this.#append(this.history, note, offer)
    return true
  }

  #append(history: History, { entries, retention }: Note, offer: (g: number) => void): void {
    let offered = false
    /** How much of this note was appended since the last offer. */
    let count = 0
    let bytes = 0
    for (const entry of entries) {
      if (entry.g <= this.#last) continue
      this.#stateful ||= entry.subject !== undefined
      if (history.evictedBy(entry, retention) > 0) {
        // The oldest event is dropped first. States are dropped only after all events, including those of this note.
        const fits = count < retention.length && bytes + entry.frame.length <= retention.bytes
        if (!offered || this.#stateful || !fits) {
          offer(this.#last)
          this.#beforeEviction()
          offered = true
          count = 0
          bytes = 0
        }
      }
      history.append(entry, retention)
      count += 1
      bytes += entry.frame.length
      this.#last = entry.g
    }
    this.#age = retention.age
  }

  /** Drops what is too old. */
  expire(time: number): void {
    const before = time - this.#age
    if (this.history === undefined || this.history.olderThan(before) === 0) return
    this.#beforeEviction()
    this.history.expire(before)
  }

  changed(): void {
    for (const sink of this.sinks) sink.changed(this.channel)
  }

  #beforeEviction(): void {
    for (const sink of this.sinks) sink.beforeEviction()
  }
}
