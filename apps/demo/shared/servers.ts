import { z } from 'zod'

/** What the servers of `pnpm dev:cluster` are called. */
export const serverName = z.enum(['A', 'B', 'C'], 'There is no such server.')

export type ServerName = z.infer<typeof serverName>
