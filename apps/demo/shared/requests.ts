import { z } from 'zod'
import { serverName } from './servers.ts'
import { visitorId, visitorName } from './visitor.ts'

/** `POST /counter` */
export const counting = z.object({
  by: z.union([z.literal(1), z.literal(-1)], 'Count by 1 or -1.'),
  from: visitorName,
})

/** `POST /notifications` */
export const notice = z.object({
  from: visitorName,
  /** Without it, everybody. */
  to: visitorName.nullable().default(null),
  text: z
    .string('Write a message first.')
    .trim()
    .min(1, 'Write a message first.')
    .max(140, 'A message has at most 140 characters.'),
})

/** `POST /cut` */
export const cut = z.object({
  id: visitorId,
  /** How long the visitor is then kept out, in seconds. */
  seconds: z.number().min(0).max(30, 'At most 30 seconds.').default(6),
})

/** `POST /kill`, of several servers */
export const kill = z.object({ server: serverName })

/** What a refused request is answered with. */
export const refusal = z.object({ message: z.string() })

export type Counting = z.input<typeof counting>
export type Notice = z.input<typeof notice>
export type Cut = z.input<typeof cut>
export type Kill = z.input<typeof kill>
