import type { Rounds } from './rounds.ts'

/** How much is measured. */
export interface Plan {
  readonly quick: boolean
  /** In how many rounds those are measured whom targets name. */
  readonly rounds: number
  /** The peers that were asked for; all if empty. */
  readonly only: readonly string[]
}

/**
 * Those of a case's peers that were asked for, and in how many rounds each is measured: of those who only stand beside the
 * others one has to do, or it would take twice as long.
 *
 * @param named - ours, and whom our targets name; there is time for no others if it has to be quick
 */
export function chosen(
  { only, quick, rounds }: Plan,
  peers: readonly string[],
  named: readonly string[] = peers,
  times: number = rounds,
): Rounds {
  const given = only.length > 0
  const asked = peers.filter((peer) => (given ? only.includes(peer) : !quick || named.includes(peer)))
  return new Map(asked.map((peer) => [peer, given || named.includes(peer) ? times : 1]))
}

/** In how many rounds those are measured where a few hundredths count, or one event that is late by chance. */
export const moreRounds = ({ rounds }: Plan): number => 2 * rounds - 1

/** How long latencies are measured: of fewer events, a few that are late by chance would be the p99. */
export const latencySeconds = ({ quick }: Plan): number => (quick ? 1 : 4)

/** Says what is being measured, and after how many seconds. */
export function progress(text: string): void {
  process.stderr.write(`${Math.round(performance.now() / 1000)} s  ${text}\n`)
}
