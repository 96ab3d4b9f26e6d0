import { type Admission, admit, type ReplayLimits } from './admission.ts'
import type { Reading } from './broker.ts'
import { judgeCursor } from './cursor.ts'
import type { Delivery } from './delivery.ts'

/** What a join works with. */
export interface Joining {
  readonly reading: Reading
  readonly lastEventId: string | undefined
  /** How many of the newest entries of each channel are sent first. */
  readonly last: number
}

/** Begins a delivery with its first channels, to which the cursor of the request applies. */
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
 * Adds channels to a delivery that has begun, from now on: the cursor covers the channels of the first join only.
 *
 * @returns the gaps: all of the added channels for a reader that resumes, what `last` could not replay for a new one
 */
export function extend(
  delivery: Delivery,
  { reading, lastEventId, last }: Joining,
  limits: ReplayLimits,
): Admission['gaps'] {
  const { epoch, head, histories } = reading
  const returning = judgeCursor(lastEventId, epoch, head).kind !== 'fresh'
  const admission = admit(reading, undefined, last, limits)
  const gaps = returning ? [{ channels: [...histories.keys()], reason: 'joined' as const }] : admission.gaps
  for (const { channels, reason } of gaps) delivery.insertGap(channels, reason)
  for (const { channel, history, since } of admission.members) {
    delivery.add(channel, history, history.recent(since))
  }
  return gaps
}
