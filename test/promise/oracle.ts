/** An event that was published, or may have been: its publish was not acknowledged. */
export interface Published {
  /** Tells events apart, whatever ids they get. */
  readonly n: number
  readonly channel: string
  /** Of a state: a newer one of the same key supersedes it. */
  readonly key?: string | undefined
  /** Where it stands in the log, once that is known. */
  id?: string | undefined
}

/** What a reader comes to know, in its order. */
export type Heard =
  | { readonly kind: 'event'; readonly n: number; readonly channel: string; readonly id: string }
  /** It has caught up to its cursor, which it began with or which `sse.live` gave it. */
  | { readonly kind: 'cursor'; readonly id: string }
  /** Something is missing of what was published by then: all with a lower `n`. */
  | {
      readonly kind: 'resync'
      readonly reason: string
      readonly channels: readonly string[]
      readonly n: number
    }
  /** Anything else that a trace should show. */
  | { readonly kind: 'note'; readonly text: string }

export interface Hearing {
  readonly channels: readonly string[]
  readonly story: readonly Heard[]
}

/** What may be missing, if that is announced. */
export interface Losses {
  /** Whether a channel may drop events that a reader has not had. */
  evicts(channel: string): boolean
  /** Whether the log may begin anew. */
  readonly beginsAnew: boolean
}

/** What is wrong, and at which place of the story. */
export interface Violation {
  readonly at: number
  readonly what: string
}

interface Position {
  readonly epoch: string
  readonly g: number
}

const positionOf = (id: string): Position => {
  const cut = id.lastIndexOf('-')
  return { epoch: id.slice(0, cut), g: Number.parseInt(id.slice(cut + 1), 36) }
}

/**
 * Judges what a reader heard by the promise: events arrive in order, none twice; and every event of its channels after its
 * cursor is delivered, or superseded by a newer one of its key, or announced as missing before anything newer of its channel.
 */
export function judge({ channels, story }: Hearing, log: Log, losses: Losses): Violation[] {
  const violations: Violation[] = []
  const delivered = new Set(story.flatMap((item) => (item.kind === 'event' ? [item.n] : [])))
  /** The channels of which everything beyond `reached` is due. */
  const complete = new Set<string>()
  /** By channel, up to which `n` a gap has announced what is missing before the channel's next event. */
  const announced = new Map<string, number>()
  /** Those that came since the log began. */
  let had = new Set<number>()
  let epoch: string | undefined
  let reached = -1

  story.forEach((item, at) => {
    const blame = (what: string): void => void violations.push({ at, what })

    /** An id vouches for all channels: up to it, what is due was delivered. */
    function account(upTo: number): void {
      for (reached += 1; reached <= upTo; reached++) {
        const missing = log.at(epoch, reached)
        if (missing === undefined || !complete.has(missing.channel)) continue
        if (delivered.has(missing.n) || log.supersedes(missing)) continue
        if (missing.n < (announced.get(missing.channel) ?? 0)) continue
        blame(`lost in silence: ${show(missing)}`)
      }
      reached = upTo
    }

    /** @returns whether the position is of the log that the reader knows, or the first of another one */
    function enter(id: string): number {
      const position = positionOf(id)
      if (epoch !== undefined && epoch !== position.epoch) {
        blame(`another log in silence: ${id} after ${epoch}`)
        beginAnew()
      }
      if (epoch === undefined) reached = position.g - 1
      epoch = position.epoch
      return position.g
    }

    function beginAnew(): void {
      epoch = undefined
      had = new Set()
      complete.clear()
    }

    if (item.kind === 'resync') {
      const { reason } = item
      const named = item.channels.length === 0 ? channels : item.channels
      if (reason === 'evicted') {
        const kept = named.filter((channel) => !losses.evicts(channel))
        if (kept.length > 0) blame(`a gap where nothing was dropped: ${kept}`)
      } else {
        if (reason === 'epoch' && !losses.beginsAnew) blame('a gap where the log goes on')
        beginAnew()
      }
      for (const channel of named) {
        complete.delete(channel)
        announced.set(channel, item.n)
      }
    } else if (item.kind === 'cursor') {
      const g = enter(item.id)
      if (g < reached) blame(`a cursor that goes back: ${item.id}`)
      account(Math.max(g, reached))
      for (const channel of channels) complete.add(channel)
    } else if (item.kind === 'event') {
      const published = log.get(item.n)
      const g = enter(item.id)
      if (published === undefined || !channels.includes(item.channel) || published.channel !== item.channel)
        blame(`of no channel of this reader: ${show(item)}`)
      else if (published.id !== item.id && epochOf(published.id) === epoch)
        blame(`under another id than ${published.id}: ${show(item)}`)
      if (had.has(item.n)) blame(`twice: ${show(item)}`)
      had.add(item.n)
      if (g <= reached) {
        blame(`out of order: ${show(item)}`)
        return
      }
      account(g - 1)
      reached = g
      // A state outlives what was published after it, so it does not say from where on the channel is complete again.
      if (published?.key !== undefined) return
      complete.add(item.channel)
      announced.delete(item.channel)
    }
  })
  return violations
}

/** What was published, by position. */
export class Log {
  readonly #entries = new Map<number, Published>()
  readonly #positions = new Map<string, Published>()
  /** The channels and keys of states that may be anywhere. */
  readonly #unknown = new Set<string>()
  /** By log, channel and key, the newest position. */
  readonly #newest = new Map<string, number>()

  constructor(published: Iterable<Published>) {
    for (const entry of published) {
      this.#entries.set(entry.n, entry)
      if (entry.id === undefined) {
        this.#unknown.add(stateOf(entry))
        continue
      }
      this.#positions.set(entry.id, entry)
      if (entry.key === undefined) continue
      const { g } = positionOf(entry.id)
      const key = stateOf(entry)
      this.#newest.set(key, Math.max(this.#newest.get(key) ?? -1, g))
    }
  }

  get(n: number): Published | undefined {
    return this.#entries.get(n)
  }

  at(epoch: string | undefined, g: number): Published | undefined {
    return this.#positions.get(`${epoch}-${g.toString(36)}`)
  }

  /** Whether there is a newer state of the same key, or may be: nobody knows where one stands that was not acknowledged. */
  supersedes(entry: Published): boolean {
    if (entry.key === undefined || entry.id === undefined) return false
    if (this.#unknown.has(stateOf({ ...entry, id: undefined }))) return true
    return (this.#newest.get(stateOf(entry)) ?? -1) > positionOf(entry.id).g
  }
}

const epochOf = (id: string | undefined): string | undefined =>
  id === undefined ? undefined : positionOf(id).epoch

const stateOf = ({ channel, id, key }: Published): string => JSON.stringify([epochOf(id), channel, key])

const show = ({ channel, id, n }: { channel: string; n: number; id?: string | undefined }): string =>
  `${channel} #${n} ${id}`
