import { type Hub, type SseOptions, sse } from '@sse/express'
import { events } from '../shared/events.ts'

export type DemoHub = Hub<typeof events>

/** The one hub of a server: the routes publish on it, the page reads from it. */
export const createHub = (options: Pick<SseOptions<typeof events>, 'broker' | 'retry'> = {}): DemoHub =>
  sse({ events, ...options })

/** The channel that everybody reads. */
export const ROOM = 'room'

/** The channel of what several servers say of themselves. */
export const CLUSTER = 'cluster'

/** The channel that only the visitors of this name read. */
export const mailbox = (name: string): string => `visitor:${name}`

/** The channel of one page, by which it can be cut off wherever it is connected. */
export const pageOf = (id: string): string => `page:${id}`
