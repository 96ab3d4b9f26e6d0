/** How much is measured. */
export interface Plan {
  readonly quick: boolean
  readonly rounds: number
  /** The peers that were asked for; all if empty. */
  readonly only: readonly string[]
}

/** Those of a case's peers that were asked for. */
export const chosen = ({ only }: Plan, peers: readonly string[]): readonly string[] =>
  only.length === 0 ? peers : peers.filter((peer) => only.includes(peer))

/** Says what is being measured. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}
