import { type Channel, type RegisteredEvents, type SseOptions, sse } from '@sse/express'
import type { RedisBrokerOptions } from './options.ts'
import { redisBroker } from './redis-broker.ts'

export interface PublisherOptions<E>
  extends Pick<RedisBrokerOptions, 'client' | 'prefix' | 'publishTimeout'>,
    Pick<SseOptions<E>, 'events' | 'history' | 'limits'> {}

/** The part of a hub that a process without readers needs. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface Publisher<E = any> {
  /** A channel by its name, as `hub.channel` gives it. */
  channel(name: string): Pick<Channel<E>, 'name' | 'publish' | 'publishAll' | 'remove' | 'end'>
  /** Resolves when everything that was published is stored or refused. Does not close the client. */
  close(): Promise<void>
}

/**
 * Publishes to the hub of several servers from a worker, a cron job or a script. It subscribes to nothing. Give it the same
 * `prefix`, `events`, `history` and `limits` as the servers.
 *
 * @example
 * const client = await createClient().on('error', console.error).connect()
 * const publisher = createPublisher({ client, events })
 * await publisher.channel('news').publish('headline', { title: 'Good morning' })
 */
export function createPublisher<E = RegisteredEvents>(options: PublisherOptions<E>): Publisher<E> {
  const { events, history = {}, limits = {}, ...redis } = options
  const hub = sse<E>({ events, history, limits, broker: redisBroker(redis) })
  return {
    channel: (name) => hub.channel(name),
    close: () => hub.close(),
  }
}
