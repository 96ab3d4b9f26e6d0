import { z } from 'zod'

/** What a visitor is called. Claimed, not proven: this page has no accounts. */
export const visitorName = z
  .string('A name is missing.')
  .trim()
  .regex(
    /^\p{L}[\p{L}\p{N} '-]{0,23}$/u,
    'A name has up to 24 letters, digits, spaces, hyphens and apostrophes.',
  )

/** Tells the connections of one page from all others. Only the page knows it, so only the page can cut them. */
export const visitorId = z.string('The visitor id is missing.').regex(/^[0-9a-f]{32}$/, 'Not a visitor id.')

/** What the stream's url may say about its reader; `curl` and others need not say anything. */
export const visitor = z.object({ id: visitorId.optional(), name: visitorName.optional() })

export type Visitor = z.infer<typeof visitor>
