import { createEventSource } from '@sse/react'
import { events } from '../shared/events.ts'
import { me } from './visitor.ts'

/** The stream that this page lives on. */
export const live = createEventSource(`/events?${new URLSearchParams(me)}`, { events })
