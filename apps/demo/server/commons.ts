import type { Visitor } from '../shared/visitor.ts'

export interface Counter {
  readonly value: number
  /** Who counted last; nobody has, at the start. */
  readonly by: string | null
}

/** What one server knows of its visitors. */
export interface Roll {
  readonly here: readonly Visitor[]
  /** Who left lately, and until when that is still told. */
  readonly left: readonly { readonly name: string; readonly until: number }[]
}

/** What the servers of the demo have in common, besides what they publish. */
export interface Commons {
  counter(): Promise<Counter>
  /** Counts, and returns what it has become. */
  count(by: number, from: string): Promise<Counter>
  /** Takes the roll of this server, and returns those of all. */
  report(roll: Roll): Promise<readonly Roll[]>
  /** Keeps a visitor out of every server for some seconds. */
  exile(id: string, seconds: number): Promise<void>
  /** How long a visitor has to stay away, in whole seconds; 0 for one who may come. */
  secondsLeft(id: string): Promise<number>
}

/** The commons of one server that is alone. */
export function memoryCommons(): Commons {
  let counter: Counter = { value: 0, by: null }
  const until = new Map<string, number>()

  function secondsLeft(id: string): number {
    const left = Math.ceil(((until.get(id) ?? 0) - Date.now()) / 1000)
    if (left <= 0) until.delete(id)
    return Math.max(0, left)
  }

  return {
    counter: async () => counter,
    async count(by, from) {
      counter = { value: counter.value + by, by: from }
      return counter
    },
    report: async (roll) => [roll],
    async exile(id, seconds) {
      until.set(id, Date.now() + 1000 * seconds)
      setTimeout(() => secondsLeft(id), 1000 * seconds + 1).unref()
    },
    secondsLeft: async (id) => secondsLeft(id),
  }
}
