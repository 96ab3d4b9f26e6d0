import { sse } from '@sse/express'
import { events } from '../shared/events.ts'

/** The one hub of this server: the routes publish on it, the page reads from it. */
export const hub = sse({ events })

/** What everybody reads. */
export const room = hub.channel('room')

/** What only the visitors of this name read. */
export const mailbox = (name: string): string => `visitor:${name}`
