import { defineEvents, payload } from '@sse/contract'

export const events = defineEvents({ note: payload<string>() })
