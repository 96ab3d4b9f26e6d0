/** A position in the hub's log: how much a reader has received, and of which log. */
export interface Cursor {
  /** Names one unbroken log; a restart without a store begins another one. */
  readonly epoch: string
  /** The position up to which everything was delivered or announced. */
  readonly g: number
  /** Whether the stream that ended with it must not be reopened. */
  readonly final: boolean
}

/** Only characters that browsers send to another origin without a preflight. */
const GRAMMAR = /^([a-z0-9]{1,32})-([0-9a-z]{1,11})(~?)$/

/** The text of a cursor, `<epoch>-<g>`; a final one is marked by `~`. */
export const formatCursor = (epoch: string, g: number, final = false): string =>
  `${epoch}-${g.toString(36)}${final ? '~' : ''}`

/**
 * Reads what a client sent as its last event id. Hostile input: anything that is no cursor is `undefined`, in time that
 * does not depend on its length.
 */
export function parseCursor(text: string): Cursor | undefined {
  if (text.length > 128) return undefined
  const [, epoch, digits, mark] = GRAMMAR.exec(text) ?? []
  if (epoch === undefined || digits === undefined) return undefined
  const g = Number.parseInt(digits, 36)
  if (!Number.isSafeInteger(g) || g.toString(36) !== digits) return undefined
  return { epoch, g, final: mark === '~' }
}

/** The name of a new log: the time and random digits, so that no two logs share one. */
export const createEpoch = (now: number, random: () => number): string =>
  now.toString(36) +
  Math.floor(random() * 36 ** 5)
    .toString(36)
    .padStart(5, '0')

/** Where a reader stands: new, at a position of this log, or at one that this log does not know. */
export type Standing =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'resumed'; readonly g: number }
  | { readonly kind: 'lost'; readonly reason: 'epoch' | 'unknown' }

/**
 * Judges what a client sent as its last event id against the log as it is.
 *
 * @param lost - whether the log has lost this position
 */
export function judgeCursor(
  lastEventId: string | undefined,
  epoch: string,
  head: number,
  lost = false,
): Standing {
  if (lastEventId === undefined) return { kind: 'fresh' }
  const cursor = parseCursor(lastEventId)
  if (cursor === undefined) return { kind: 'lost', reason: 'unknown' }
  if (cursor.epoch !== epoch) return { kind: 'lost', reason: 'epoch' }
  return lost || cursor.g > head ? { kind: 'lost', reason: 'unknown' } : { kind: 'resumed', g: cursor.g }
}
