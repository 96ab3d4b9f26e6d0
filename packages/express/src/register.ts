import type { AnyEvents } from '@sse/contract'
import type { Stream } from './stream.ts'

/**
 * Where an application says once which contract `res.sse` follows.
 *
 * @example
 * declare module '@sse/express' {
 *   interface Register { events: typeof events }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add to it
export interface Register {}

/** The contract of `res.sse`: the registered one, else any events. */
export type RegisteredEvents = Register extends { readonly events: infer E } ? E : AnyEvents

declare global {
  namespace Express {
    interface Response {
      /** This response as an event stream of the hub mounted nearest. Costs nothing until it is used. */
      readonly sse: Stream<RegisteredEvents>
    }
  }
}
