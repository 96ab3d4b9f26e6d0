/** Positions that are left out when another run begins: more than one can have lost of those that it gave. */
export const SKIPPED: number = 2 ** 24

/**
 * Where runs of a primary began with positions left out: those behind that the former run has given are lost.
 *
 * @param runs - as the log keeps them: `run:position`, and a space between two
 */
export function parseSkips(runs: string): readonly number[] {
  const starts = runs.split(' ').map((run) => Number(run.split(':')[1]))
  // The first one of all begins at 0, and has nothing to leave out.
  return starts.filter((start, index) => index > 0 || start > 0)
}

/**
 * Whether a position is one of those that were left out. Not the last one: the log stands there, and readers with it, where
 * what was published first was refused, as its channel had ended.
 */
export const isSkipped = (g: number, skips: readonly number[]): boolean =>
  skips.some((start) => g > start && g < start + SKIPPED)
