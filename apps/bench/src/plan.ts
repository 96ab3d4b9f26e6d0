/** How much is measured. */
export interface Plan {
  readonly quick: boolean
  readonly rounds: number
  /** The peers that were asked for; all if empty. */
  readonly only: readonly string[]
}

/**
 * Those of a case's peers that were asked for.
 *
 * @param few - those that there is time for if it has to be quick: ours, and whom our targets name
 */
export function chosen(
  { only, quick }: Plan,
  peers: readonly string[],
  few: readonly string[] = peers,
): readonly string[] {
  if (only.length > 0) return peers.filter((peer) => only.includes(peer))
  return quick ? few : peers
}

/** How long latencies are measured: of fewer events, a few that are late by chance would be the p99. */
export const latencySeconds = ({ quick }: Plan): number => (quick ? 1 : 5)

/** Says what is being measured, and after how many seconds. */
export function progress(text: string): void {
  process.stderr.write(`${Math.round(performance.now() / 1000)} s  ${text}\n`)
}
