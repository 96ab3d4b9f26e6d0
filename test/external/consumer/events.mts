import { defineEvents, payload, state } from '@sse/contract'

export const events = defineEvents({
  counter: state<{ value: number }>(),
  headline: payload<{ title: string }>(),
})
