import type { DecodedEvent } from '@sse/protocol'
import type { Log, Published } from '../model/log.ts'

/** The promise as a reader can check it: over all of its connections, by what arrived. */
export class Ledger {
  readonly violations: string[] = []
  gaps = 0
  heard = 0

  readonly #log: Log
  readonly #channels: ReadonlySet<string>
  /** Up to where each channel may miss what was dropped, as that was announced. */
  readonly #announced = new Map<string, number>()
  /** Everything up to it is accounted for; `undefined` before the reader had its first position. */
  #reached: number | undefined
  #last = -1

  constructor(log: Log, channels: readonly string[]) {
    this.#log = log
    this.#channels = new Set(channels)
  }

  /** Up to where the reader has everything. */
  get reached(): number {
    return this.#reached ?? -1
  }

  hear({ data, event, id }: DecodedEvent): void {
    switch (event) {
      case 'sse.open':
        this.#last = -1
        if (JSON.parse(data).resumed) this.#reached ??= positionOf(id)
        return
      case 'sse.gap': {
        const { channels }: { channels: string[] } = JSON.parse(data)
        this.gaps += 1
        for (const channel of channels) this.#announced.set(channel, this.#log.droppedUpTo(channel))
        return
      }
      case 'sse.live':
        this.#reached ??= positionOf(id)
        this.#account(positionOf(id))
        return
      default:
        this.#take(event, data, positionOf(id))
    }
  }

  #take(event: string, data: string, g: number): void {
    this.heard += 1
    const entry = this.#log.at(g)
    if (entry === undefined || !this.#channels.has(entry.channel)) {
      this.violations.push(`came of no channel of this reader: ${g} ${data.slice(0, 40)}`)
    } else if (event !== 'sse.remove' && 'data' in entry.said && entry.said.data !== data) {
      this.violations.push(`came altered: ${show(entry)}`)
    }
    if (g <= this.#last) this.violations.push(`came twice, or out of order: ${g} after ${this.#last}`)
    this.#last = g
    // Before it is live for the first time, a reader that is new here begins with some of what there is.
    if (this.#reached === undefined) return
    this.#account(g - 1)
    this.#reached = Math.max(this.#reached, g)
  }

  /** Everything up to a position was delivered by now, or superseded, or announced. */
  #account(upTo: number): void {
    for (let g = (this.#reached ?? upTo) + 1; g <= upTo; g++) {
      this.#reached = g
      const entry = this.#log.at(g)
      if (entry === undefined || !this.#channels.has(entry.channel) || entry.superseded) continue
      if (entry.dropped && g <= (this.#announced.get(entry.channel) ?? 0)) continue
      this.violations.push(`lost without a word: ${show(entry)}`)
    }
  }
}

const positionOf = (id: string): number => Number.parseInt(id.split('-')[1] ?? '', 36)

const show = ({ channel, dropped, g, said }: Published): string =>
  `${channel}@${g} ${said.kind}${dropped ? ' dropped' : ''}`
