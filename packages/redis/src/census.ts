/** What a process reports of its readers, or asks of others. */
export interface Report {
  /** Channels whose numbers of readers are wanted. */
  readonly ask?: readonly string[]
  /** Numbers of readers by channel. */
  readonly counts?: readonly (readonly [channel: string, count: number])[]
  /** Whether `counts` is complete, not just what has changed. */
  readonly whole?: boolean
}

/** Rounds for which a channel is reported after it was last asked for. */
const WISH = 60

/** Rounds after which a process repeats all of its counts. */
const REPEAT = 3

/** Rounds of silence after which a process counts as gone. */
const LEASE = 10

interface Other {
  readonly counts: Map<string, number>
  heardAt: number
}

/**
 * The numbers of readers of the channels that some process asks for. Processes report in rounds, only these channels and only
 * what has changed; if nobody asks, nobody reports. Nothing is stored: a process that falls silent is forgotten.
 */
export class Census {
  readonly #size: (channel: string) => number
  #round = 0
  /** By channel, the round in which any process last asked for it. */
  readonly #wishes = new Map<string, number>()
  /** By channel, the round in which its size was last read here. */
  readonly #looks = new Map<string, number>()
  readonly #others = new Map<string, Other>()
  /** What this process has reported last. */
  #said = new Map<string, number>()
  #saidAllAt = 0

  /** @param size - tells how many readers a channel has here */
  constructor(size: (channel: string) => number) {
    this.#size = size
  }

  /** Whether any process asks for a channel. */
  get wanted(): boolean {
    return this.#wishes.size > 0 || this.#looks.size > 0
  }

  /** How many readers a channel has in all other processes, as last reported. */
  elsewhere(channel: string): number {
    this.#looks.set(channel, this.#round)
    let sum = 0
    for (const { counts } of this.#others.values()) sum += counts.get(channel) ?? 0
    return sum
  }

  /** Takes the report of another process. */
  hear(from: string, { ask = [], counts, whole = false }: Report): void {
    for (const channel of ask) this.#wishes.set(channel, this.#round)
    if (counts === undefined) return
    const other = whole ? undefined : this.#others.get(from)
    const known = other?.counts ?? new Map<string, number>()
    for (const [channel, count] of counts) known.set(channel, count)
    this.#others.set(from, { counts: known, heardAt: this.#round })
  }

  /** Ends a round: forgets what is out of date, and returns the report to send, if any. */
  next(): Report | undefined {
    this.#round += 1
    forget(this.#wishes, (at) => this.#round - at > WISH)
    forget(this.#looks, (at) => this.#round - at > WISH / 2)
    forget(this.#others, ({ heardAt }) => this.#round - heardAt > LEASE)
    const ask = [...this.#looks.keys()].filter((channel) => this.#isOld(this.#wishes.get(channel)))
    for (const channel of ask) this.#wishes.set(channel, this.#round)
    const counts = this.#news()
    return ask.length === 0 && counts === undefined
      ? undefined
      : { ...(ask.length > 0 && { ask }), ...counts }
  }

  /** The last report before this process leaves, if others count readers of it. */
  leave(): Report | undefined {
    return this.#said.size === 0 ? undefined : { counts: [], whole: true }
  }

  /** Whether a channel must be asked for again, before others forget it. */
  #isOld(wish: number | undefined): boolean {
    return wish === undefined || this.#round - wish > WISH / 2
  }

  #news(): Report | undefined {
    const now = new Map<string, number>()
    for (const channel of this.#wishes.keys()) {
      const count = this.#size(channel)
      if (count > 0) now.set(channel, count)
    }
    const gone = [...this.#said.keys()].filter((channel) => !now.has(channel))
    const changed = [...now].filter(([channel, count]) => this.#said.get(channel) !== count)
    this.#said = now
    if (now.size > 0 && this.#round - this.#saidAllAt >= REPEAT) {
      this.#saidAllAt = this.#round
      return { counts: [...now], whole: true }
    }
    const counts = [...changed, ...gone.map((channel) => [channel, 0] as const)]
    return counts.length === 0 ? undefined : { counts }
  }
}

function forget<K, V>(map: Map<K, V>, isOld: (value: V) => boolean): void {
  for (const [key, value] of map) if (isOld(value)) map.delete(key)
}
