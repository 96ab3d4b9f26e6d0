/** Figures of one measurement, by name. */
export type Figures = Readonly<Record<string, number>>

/** Why a peer has no figures in a case. */
export class Failure {
  readonly reason: string

  constructor(error: unknown) {
    this.reason = error instanceof Error ? error.message : String(error)
  }
}

export type Outcomes<F extends Figures> = ReadonlyMap<string, F | Failure>

/** Peers, and in how many rounds each of them is measured. */
export type Rounds = ReadonlyMap<string, number>

/** Every peer, in one round. */
export const once = (peers: Iterable<string>): Rounds => new Map([...peers].map((peer) => [peer, 1]))

/**
 * Measures every peer once in each of its rounds, so that whatever disturbs the machine disturbs all of them, and returns the
 * medians. A peer that fails drops out of the case, and the others go on.
 */
export async function takeTurns<F extends Figures>(
  peers: Rounds,
  measure: (peer: string) => Promise<F>,
): Promise<Outcomes<F>> {
  const taken = new Map<string, F[]>()
  const failed = new Map<string, Failure>()
  for (let round = 0; round < Math.max(...peers.values()); round++) {
    for (const [peer, rounds] of peers) {
      if (round >= rounds || failed.has(peer)) continue
      try {
        taken.set(peer, [...(taken.get(peer) ?? []), await measure(peer)])
      } catch (error) {
        failed.set(peer, new Failure(error))
      }
    }
  }
  return new Map([...peers.keys()].map((peer) => [peer, failed.get(peer) ?? medians(taken.get(peer) ?? [])]))
}

/** The median of each figure. */
export function medians<F extends Figures>(rounds: readonly F[]): F {
  const [first] = rounds
  if (first === undefined) throw new Error('There was no round.')
  const names: (keyof F)[] = Object.keys(first)
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name] ?? 0))])) as F
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
