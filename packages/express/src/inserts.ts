/** Bytes for one stream only, and their place among the entries of the log. */
export interface Insert {
  /** They come after the entries up to this position. */
  readonly after: number
  readonly bytes: Buffer
  readonly kind: 'private' | 'control' | 'recent'
  /** The channel that they belong to: leaving it drops them. */
  readonly channel: string | undefined
}

/** The inserts of a stream that wait, in the order of their positions. */
export class Inserts {
  /** Bytes of private events that wait. */
  privateBytes = 0

  #inserts: Insert[] = []
  /** How many of these were taken, fewer than half: `shift` would move the whole of a long array each time. */
  #taken = 0

  get isEmpty(): boolean {
    return this.#inserts.length === 0
  }

  /** The position after which the next one comes. */
  get next(): number | undefined {
    return this.#inserts[this.#taken]?.after
  }

  /** The position after which the last one comes. */
  get last(): number | undefined {
    return this.#inserts.at(-1)?.after
  }

  /** Adds one behind all others; its position must not be lower than theirs. */
  add(insert: Insert): void {
    this.#inserts.push(insert)
    if (insert.kind === 'private') this.privateBytes += insert.bytes.length
  }

  /** Adds a control block before all others; its position must not be higher than theirs. */
  addFirst(after: number, bytes: Buffer): void {
    this.#waiting = [{ after, bytes, kind: 'control', channel: undefined }, ...this.#waiting]
  }

  /** Takes the next one, if the cursor has reached its position. */
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

  /** Moves all of them before the entries of a new log. */
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
