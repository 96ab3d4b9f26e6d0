/** What is known of the log: its position, and the run of the primary in which that was seen. */
export interface Known {
  readonly epoch: string
  readonly g: number
  readonly run: string
}

/**
 * The highest position seen, for each run of a primary: after a fail-over two primaries may both go on for a while, and their
 * entries at the same position differ.
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
   * Takes a reply. Unless it is of a new epoch, its log includes the positions of former runs that were sent with the call,
   * which need not be known any more.
   *
   * @param epoch - the epoch that was sent
   * @param seen - the positions that were sent, as {@link toString} returned them
   */
  confirm(known: Known, epoch: string, seen: string): void {
    this.add(known)
    if (known.epoch !== epoch || known.epoch !== this.#epoch) return
    for (const [run, g] of parse(seen)) {
      if (run !== known.run && g === this.#byRun.get(run)) this.#byRun.delete(run)
    }
  }

  /** As the scripts take it: `run:position`, separated by spaces. */
  toString(): string {
    return [...this.#byRun].map(([run, g]) => `${run}:${g}`).join(' ')
  }
}

const parse = (seen: string): (readonly [string, number])[] =>
  seen.split(' ').map((part) => {
    const [run = '', g = ''] = part.split(':')
    return [run, Number(g)]
  })
