/** How many positions are skipped when another run of a primary begins: more than the former run can have lost. */
export const SKIPPED: number = 2 ** 24

/**
 * The positions at which runs of a primary began and skipped some: what the former run published after them is lost.
 *
 * @param runs - as the log stores them: `run:position`, separated by spaces
 */
export function parseSkips(runs: string): readonly number[] {
  const starts = runs.split(' ').map((run) => Number(run.split(':')[1]))
  // The very first run begins at 0, and has nothing to skip.
  return starts.filter((start, index) => index > 0 || start > 0)
}

/**
 * Whether a position is one of those that were skipped. Not the last of them: the log and its readers may be there, if the
 * first publish was refused because its channel had ended.
 */
export const isSkipped = (g: number, skips: readonly number[]): boolean =>
  skips.some((start) => g > start && g < start + SKIPPED)
