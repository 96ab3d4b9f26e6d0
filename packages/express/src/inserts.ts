/** Bytes of one stream alone, in their place in the order of the log. */
export interface Insert {
  /** The position after whose entries they come. */
  readonly after: number
  readonly bytes: Buffer
  readonly kind: 'private' | 'control' | 'recent'
  /** Leaving it takes them along. */
  readonly channel: string | undefined
}

/** What waits to be inserted between the entries of a stream's channels, in the order of its places. */
export class Inserts {
  /** Bytes of the application's private events. */
  privateBytes = 0

  #inserts: Insert[] = []
  /** How many of these were taken, fewer than half: to shift a long array one by one moves all of it each time. */
  #taken = 0

  get isEmpty(): boolean {
    return this.#inserts.length === 0
  }

  /** The position after whose entries the next one comes. */
  get next(): number | undefined {
    return this.#inserts[this.#taken]?.after
  }

  /** The position after whose entries the last one comes. */
  get last(): number | undefined {
    return this.#inserts.at(-1)?.after
  }

  /** Adds one behind all others; its place is none before theirs. */
  add(insert: Insert): void {
    this.#inserts.push(insert)
    if (insert.kind === 'private') this.privateBytes += insert.bytes.length
  }

  /** Adds what the library says before all others; its place is none behind theirs. */
  addFirst(after: number, bytes: Buffer): void {
    this.#waiting = [{ after, bytes, kind: 'control', channel: undefined }, ...this.#waiting]
  }

  /** Takes the next one, if its place is reached. */
  take(cursor: number): Buffer | undefined {
    const insert = this.#inserts[this.#taken]
    if (insert === undefined || insert.after > cursor) return undefined
    this.#taken += 1
    if (2 * this.#taken >= this.#inserts.length) this.#waiting = this.#inserts.slice(this.#taken)
    if (insert.kind === 'private') this.privateBytes -= insert.bytes.length
    return insert.bytes
  }

  /** Drops those of a channel. */
  leave(channel: string): void {
    this.#waiting = this.#waiting.filter((insert) => insert.channel !== channel)
  }

  /** Has all of them come before whatever a new log says. */
  rewind(): void {
    this.#waiting = this.#waiting.map((insert) => ({ ...insert, after: 0 }))
  }

  get #waiting(): Insert[] {
    return this.#inserts.slice(this.#taken)
  }

  set #waiting(inserts: Insert[]) {
    this.#inserts = inserts
    this.#taken = 0
  }
}
