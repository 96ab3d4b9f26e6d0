import { defineEvents, payload, state } from '@sse/contract'

interface Numbered {
  /** Tells events apart, whatever ids they get. */
  readonly n: number
  readonly channel: string
  readonly padding: string
}

/** What is published: things that happen, and the states of some keys. */
export const events = defineEvents({
  notice: payload<Numbered>(),
  price: state<Numbered & { readonly key: string }>(({ key }) => key),
})
export type Events = typeof events
