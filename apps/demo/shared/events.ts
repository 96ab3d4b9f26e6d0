import { defineEvents, state } from '@sse/contract'
import { z } from 'zod'
import { serverName } from './servers.ts'
import { visitorName } from './visitor.ts'

/** When the server said it, in milliseconds since 1970 by its clock. */
const at = z.number()

/** Everything the server says to the page. Both sides take their types, and their checks, from here. */
export const events = defineEvents({
  /** What all visitors count together. */
  counter: state(z.object({ value: z.int(), by: visitorName.nullable(), at })),

  /** How many are here, and the names of those who gave one, with those who just left. */
  presence: state(
    z.object({
      here: z.int().nonnegative(),
      visitors: z.array(z.object({ name: visitorName, away: z.boolean() })),
      at,
    }),
  ),

  /** A line from one visitor to everybody, or to the one named in `to`. */
  notification: z.object({
    id: z.string(),
    from: visitorName,
    to: visitorName.nullable(),
    text: z.string(),
    at,
  }),

  /** Which of several servers this stream is on, said to its reader alone. */
  server: z.object({ name: serverName, at }),

  /** Which of several servers are up. */
  fleet: state(z.object({ servers: z.array(z.object({ name: serverName, up: z.boolean() })), at })),

  /** Counted up from 1 by one process, so that a reader can tell whether it has them all. */
  tick: z.object({ run: z.string(), n: z.int().positive(), at }),
})
