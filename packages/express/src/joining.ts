import { type Admission, admit, type ReplayLimits } from './admission.ts'
import type { Reading } from './broker.ts'
import { judgeCursor } from './cursor.ts'
import type { Delivery } from './delivery.ts'

/** What a join has to do with. */
export interface Joining {
  readonly reading: Reading
  readonly lastEventId: string | undefined
  /** How many of the newest entries of each channel come first. */
  readonly last: number
}

/** Begins a delivery with its first channels: the cursor of the request counts for them. */
export function begin(
  delivery: Delivery,
  { reading, lastEventId, last }: Joining,
  limits: ReplayLimits,
): Admission {
  const admission = admit(reading, lastEventId, last, limits)
  for (const { channels, reason } of admission.gaps) delivery.insertGap(channels, reason)
  delivery.start(reading.epoch, admission.cursor, reading.head, admission.members)
  return admission
}

/**
 * Adds channels to a delivery that has begun: from now on, as the cursor vouches for those of the first join only.
 *
 * @returns those of which a reader who comes back may have missed something
 */
export function extend(
  delivery: Delivery,
  { reading: { epoch, head, histories }, lastEventId, last }: Joining,
  { replayEvents }: ReplayLimits,
): readonly string[] {
  const returning = judgeCursor(lastEventId, epoch, head).kind !== 'fresh'
  const missed = returning ? [...histories.keys()] : []
  if (returning) delivery.insertGap(missed, 'joined')
  for (const [channel, history] of histories) {
    delivery.add(channel, history, history.recent(Math.min(last, replayEvents)))
  }
  return missed
}
