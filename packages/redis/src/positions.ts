/** What is known of the log: where it stands, and in which run of the primary that was seen. */
export interface Known {
  readonly epoch: string
  readonly g: number
  readonly run: string
}

/**
 * Up to where the log was seen, for each run of a primary by itself: after a fail-over two of them may go on for a while,
 * and what they call position 5 is not the same.
 */
export class Positions {
  #epoch = ''
  readonly #byRun = new Map<string, number>()

  get epoch(): string {
    return this.#epoch
  }

  add({ epoch, g, run }: Known): void {
    if (epoch < this.#epoch) return
    if (epoch > this.#epoch) this.#byRun.clear()
    this.#epoch = epoch
    if (g >= (this.#byRun.get(run) ?? 0)) this.#byRun.set(run, g)
  }

  /**
   * Takes note of an answer. What it was held against is part of the log that has answered, unless that is a new one, and
   * need not be known any more.
   *
   * @param epoch - that was sent along
   * @param seen - that was sent along: what {@link toString} said then
   */
  confirm(known: Known, epoch: string, seen: string): void {
    this.add(known)
    if (known.epoch !== epoch || known.epoch !== this.#epoch) return
    for (const [run, g] of parse(seen)) {
      if (run !== known.run && g === this.#byRun.get(run)) this.#byRun.delete(run)
    }
  }

  /** As the scripts take it: `run:position`, and a space between two. */
  toString(): string {
    return [...this.#byRun].map(([run, g]) => `${run}:${g}`).join(' ')
  }
}

const parse = (seen: string): (readonly [string, number])[] =>
  seen.split(' ').map((part) => {
    const [run = '', g = ''] = part.split(':')
    return [run, Number(g)]
  })
