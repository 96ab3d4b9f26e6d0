import type { Failure, Figures, Outcomes } from './rounds.ts'

/** Our own peers, each with the package that it measures. */
export const OURS: ReadonlyMap<string, string> = new Map([
  ['sse', '@sse/express'],
  ['sse-redis', '@sse/redis'],
  ['sse-protocol', '@sse/protocol'],
])

/** One part of the results: a table of the peers. */
export interface Section {
  readonly title: string
  /** What was measured, and how. */
  readonly about: string
  /** The peer to which the ratios of the others refer. */
  readonly baseline: string
  readonly columns: readonly Column[]
  /** What a reader must know to interpret the figures. */
  readonly remarks?: readonly string[]
}

/** One figure of every peer. */
export interface Column {
  /** How targets and the chart refer to it. */
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly values: ReadonlyMap<string, number | Failure>
}

/** Picks one figure out of all that were measured together. */
export function column<F extends Figures>(
  id: string,
  title: string,
  unit: string,
  outcomes: Outcomes<F>,
  figure: keyof F & string,
): Column {
  const values = new Map<string, number | Failure>()
  for (const [peer, outcome] of outcomes) values.set(peer, pick(outcome, figure))
  return { id, title, unit, values }
}

function pick<F extends Figures>(outcome: F | Failure, figure: keyof F & string): number | Failure {
  return isFailure(outcome) ? outcome : (outcome[figure] ?? Number.NaN)
}

export const isFailure = (outcome: unknown): outcome is Failure =>
  typeof outcome === 'object' && outcome !== null && 'reason' in outcome

/** The share of a core above which the load, rather than the peer, may be what was measured. */
const BUSY = 0.9

/** Names the peers that the load could hardly keep up with, so that the figures may be better than measured. */
export function loadRemarks<F extends Figures & { readonly loadShare: number }>(
  what: string,
  outcomes: Outcomes<F>,
): readonly string[] {
  const bound: string[] = []
  for (const [peer, outcome] of outcomes) {
    if (!isFailure(outcome) && outcome.loadShare > BUSY)
      bound.push(`${peer} (${Math.round(outcome.loadShare * 100)} %)`)
  }
  if (bound.length === 0) return []
  return [
    `${what}: the load process was close to its limit (a whole core) with ${bound.join(', ')}; with a faster load, deliveries/s might be higher and latencies lower.`,
  ]
}
