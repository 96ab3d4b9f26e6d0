import type { Rounds } from './rounds.ts'

/** How much is measured. */
export interface Plan {
  readonly quick: boolean
  /** In how many rounds the peers that targets name are measured. */
  readonly rounds: number
  /** The peers that were asked for; all if empty. */
  readonly only: readonly string[]
}

/**
 * The peers of a case that were asked for, and in how many rounds each is measured: for peers that no target names, one must
 * do, or the bench would take twice as long.
 *
 * @param named - ours, and the peers that our targets name; a quick run measures no others
 * @param times - the rounds for these
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

/** The rounds of cases in which a few hundredths matter, or one event that is late by chance. */
export const moreRounds = ({ rounds }: Plan): number => 2 * rounds - 1

/** How many seconds latencies are measured: of fewer events, a few that are late by chance would determine the p99. */
export const latencySeconds = ({ quick }: Plan): number => (quick ? 1 : 4)

/** Prints what is being measured, and the seconds since the start. */
export function progress(text: string): void {
  process.stderr.write(`${Math.round(performance.now() / 1000)} s  ${text}\n`)
}
