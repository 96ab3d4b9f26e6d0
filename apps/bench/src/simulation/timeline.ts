interface Moment {
  readonly at: number
  /** Orders moments of the same time: first come, first served. */
  readonly order: number
  act: (() => void) | undefined
}

/** Time that jumps from one event to the next, in milliseconds. */
export class Timeline {
  #now = 0
  #order = 0
  /** A binary heap, the next moment first. */
  readonly #heap: Moment[] = []

  get now(): number {
    return this.#now
  }

  /** Acts after some milliseconds. @returns a function that cancels it */
  after(milliseconds: number, act: () => void): () => void {
    const moment: Moment = { at: this.#now + Math.max(0, milliseconds), order: this.#order++, act }
    this.#push(moment)
    return () => {
      moment.act = undefined
    }
  }

  /** Lets time pass until a moment, or until nothing more is due. Promises settle after each millisecond. */
  async run(until: number): Promise<void> {
    await settled()
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      const tick = Math.floor(next.at)
      for (let due = this.#heap[0]; due !== undefined && Math.floor(due.at) === tick; due = this.#heap[0]) {
        this.#pop()
        this.#now = Math.max(this.#now, due.at)
        due.act?.()
      }
      await settled()
    }
  }

  #push(moment: Moment): void {
    const heap = this.#heap
    let at = heap.push(moment) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swap(parent, at)) return
      at = parent
    }
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const right = heap[left + 1]
      const child = right !== undefined && before(right, heap[left]) ? left + 1 : left
      if (!this.#swap(at, child)) return
      at = child
    }
  }

  /** Puts a parent and its child in order. @returns whether they had to be swapped */
  #swap(parent: number, child: number): boolean {
    const upper = this.#heap[parent]
    const lower = this.#heap[child]
    if (upper === undefined || lower === undefined || !before(lower, upper)) return false
    this.#heap[parent] = lower
    this.#heap[child] = upper
    return true
  }
}

const before = (a: Moment, b: Moment | undefined): boolean =>
  b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order)

/** Resolves when the microtask queue is empty. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
