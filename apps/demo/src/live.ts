import { createEventSource } from '@sse/react'
import { events } from '../shared/events.ts'
import { me } from './visitor.ts'

/** The event stream of this page. */
export const live = createEventSource(`/events?${new URLSearchParams(me)}`, { events })
