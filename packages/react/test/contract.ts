import { defineEvents, payload, state } from '@sse/contract'

export interface Notice {
  readonly title: string
}

export interface Quote {
  readonly symbol: string
  readonly price: number
}

export const events = defineEvents({
  counter: state<{ value: number }>(),
  quote: state<Quote>((quote) => quote.symbol),
  notification: payload<Notice>(),
})

export type Events = typeof events
