import { encodeControl, encodeEvent } from '@sse/protocol'

/** How much a channel keeps, as an application says it. */
export type Keeps = { readonly length: number; readonly bytes: number; readonly age: number } | false

/** What was published, in the terms of an application. */
export type Said =
  | { readonly kind: 'note'; readonly data: string }
  | { readonly kind: 'state'; readonly key: string; readonly data: string }
  | { readonly kind: 'remove'; readonly key: string }
  | { readonly kind: 'end'; readonly reason: string }

/** One thing that was published. */
export interface Published {
  readonly channel: string
  readonly g: number
  readonly at: number
  readonly said: Said
  readonly bytes: number
  /** The position of the newer one that stands for it. */
  supersededAt: number
  readonly superseded: boolean
  /** Whether it was dropped for room or age, or forgotten with its channel. */
  dropped: boolean
}

/** The naive model of a log in one epoch: everything that was ever published, and of each what became of it. */
export class Log {
  readonly epoch: string
  head = 0
  readonly #all: Published[] = []
  readonly #channels = new Map<string, Published[]>()
  /** Up to where each channel was forgotten. */
  readonly #forgotten = new Map<string, number>()
  readonly #keeps: (channel: string) => Keeps

  constructor(epoch: string, keeps: (channel: string) => Keeps) {
    this.epoch = epoch
    this.#keeps = keeps
  }

  id(g: number): string {
    return `${this.epoch}-${g.toString(36)}`
  }

  of(channel: string): readonly Published[] {
    return this.#channels.get(channel) ?? []
  }

  at(g: number): Published | undefined {
    return this.#all[g - 1]
  }

  /** The position of the newest entry of a channel that was dropped. */
  droppedUpTo(channel: string): number {
    return this.of(channel).findLast(({ dropped }) => dropped)?.g ?? 0
  }

  /** What of a channel is retained, the end not counted. */
  retained(channel: string, asOf = this.head): readonly Published[] {
    return this.of(channel).filter(
      ({ dropped, g, said, supersededAt }) =>
        !dropped && g <= asOf && supersededAt > asOf && said.kind !== 'end',
    )
  }

  /** The channel's last word. */
  end(channel: string): Published | undefined {
    return this.of(channel).find(({ dropped, said }) => !dropped && said.kind === 'end')
  }

  publish(channel: string, said: Said, at: number): Published {
    this.head += 1
    const entry: Published = {
      channel,
      g: this.head,
      at,
      said,
      bytes: this.#bytes(said, this.head),
      supersededAt: Number.POSITIVE_INFINITY,
      get superseded() {
        return this.supersededAt < Number.POSITIVE_INFINITY
      },
      dropped: false,
    }
    if (said.kind === 'state' || said.kind === 'remove') {
      for (const former of this.of(channel)) {
        if (former.said.kind === 'state' && former.said.key === said.key && !former.superseded)
          former.supersededAt = this.head
      }
    }
    this.#all.push(entry)
    this.#channels.set(channel, [...this.of(channel), entry])
    this.#makeRoom(entry)
    return entry
  }

  #makeRoom(entry: Published): void {
    const { at, channel, g } = entry
    const keeps = this.#keeps(channel) || { length: 0, bytes: 0, age: 0 }
    const kept = (): readonly Published[] => this.retained(channel, g)
    const plain = (): Published[] => kept().filter(({ said }) => said.kind !== 'state')
    const states = (): Published[] => kept().filter(({ said }) => said.kind === 'state')
    while (plain().length > Math.max(1, keeps.length)) drop(plain())
    while (sum(kept()) > keeps.bytes) {
      const others = [...plain(), ...states()].filter((other) => other !== entry)
      if (others.length === 0) break
      drop(others)
    }
    this.expire(channel, at, g)
  }

  expire(channel: string, now: number, asOf = this.head): void {
    const keeps = this.#keeps(channel)
    const age = keeps === false ? 0 : keeps.age
    const plain = this.retained(channel, asOf).filter(({ said }) => said.kind !== 'state')
    // The oldest first, and no further than the first that is young enough.
    while (plain[0] !== undefined && plain[0].at < now - age) drop(plain)
  }

  /** The channel was forgotten, with everything up to a position: what came later had all the room. */
  forget(channel: string, upTo: number): void {
    if (upTo <= (this.#forgotten.get(channel) ?? 0)) return
    this.#forgotten.set(channel, upTo)
    for (const entry of this.of(channel)) entry.dropped = entry.g <= upTo
    for (const entry of this.of(channel)) if (entry.g > upTo) this.#makeRoom(entry)
  }

  #bytes(said: Said, g: number): number {
    const id = `id: ${this.id(g)}\n`
    switch (said.kind) {
      case 'end':
        return 0
      case 'remove':
        return Buffer.byteLength(id + encodeControl('sse.remove', { event: 'state', key: said.key }))
      default:
        return Buffer.byteLength(id + encodeEvent({ event: said.kind, data: said.data }))
    }
  }
}

/** Drops the first, and takes it out. */
function drop(entries: Published[]): void {
  const first = entries.shift()
  if (first !== undefined) first.dropped = true
}

const sum = (entries: readonly Published[]): number =>
  entries.reduce((bytes, entry) => bytes + entry.bytes, 0)
