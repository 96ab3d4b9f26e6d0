import type { EventPayload } from '@sse/react'
import type { events } from '../shared/events.ts'

/** Whether all ticks arrived, in order and once, as counted here. */
export interface Tally {
  /** The ticker, which gets another id when it restarts, and its last number. */
  readonly run: string | undefined
  readonly last: number
  readonly received: number
  readonly missing: number
  readonly doubled: number
  /** Whether it was announced that something is missing. */
  readonly announced: boolean
}

export const emptyTally: Tally = {
  run: undefined,
  last: 0,
  received: 0,
  missing: 0,
  doubled: 0,
  announced: false,
}

/** The tally after a tick. */
export function ticked(tally: Tally, { run, n }: EventPayload<typeof events, 'tick'>): Tally {
  // The first tick of this page, or of a ticker, has none before it.
  const last = run === tally.run ? tally.last : n - 1
  return {
    ...tally,
    run,
    last: Math.max(last, n),
    received: tally.received + 1,
    missing: tally.missing + Math.max(0, n - last - 1),
    doubled: tally.doubled + (n <= last ? 1 : 0),
  }
}

/** The tally after it was announced that something is missing. */
export const announced = (tally: Tally): Tally => ({ ...tally, announced: true })

/** The tally in words. */
export function tallyWords({ missing, doubled, announced }: Tally): string {
  const word = announced ? 'as announced' : 'unannounced'
  const lost = missing === 0 ? 'none missing' : `${missing} missing, ${word}`
  const twice = doubled === 0 ? 'none twice' : `${doubled} twice`
  return `${lost}, ${twice}`
}
