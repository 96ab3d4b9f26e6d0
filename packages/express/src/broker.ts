import type { Message } from './entry.ts'
import type { History, Retention } from './history.ts'

/**
 * The one seam between hubs and where their channels' logs are kept: in this process ({@link memoryBroker}), or in a
 * store that several servers share.
 */
export interface Broker {
  /**
   * Gives a message its position, higher than every earlier one of this log, appends it to the channel and tells every
   * sink that is attached. Of two calls in one turn the first comes first.
   *
   * @returns its id
   */
  publish(channel: string, message: Message, retention: Retention): Promise<string>
  /** From its resolution on, `sink` hears of every entry of these channels. Attaching twice is one attachment. */
  attach(channels: readonly string[], sink: BrokerSink): Promise<void>
  /** The sink hears no more of this channel. */
  detach(channel: string, sink: BrokerSink): void
  /**
   * The logs of attached channels, and where the whole log stands.
   *
   * @param after - the position from which a reader wants to go on: each history covers what is retained beyond it
   */
  read(channels: readonly string[], after: number | undefined): Promise<Reading>
  /** Lets go of everything; later calls reject. */
  close(): Promise<void>
}

/** What a broker tells a hub. */
export interface BrokerSink {
  /** The history of this channel has grown, or is verified further. */
  changed(channel: string): void
  /** Entries are about to be dropped: readers that can take them are to be served first. */
  beforeEviction(): void
  /**
   * The log began anew, in another epoch: histories read so far stand still, and positions known so far say nothing.
   * Attachments hold; everything is to be read again.
   */
  reset(): void
}

/** What {@link Broker.read} found. */
export interface Reading {
  /** The name of the log: a position of another one says nothing here. */
  readonly epoch: string
  /** The highest position given so far. */
  readonly head: number
  /** The live log of each channel; it grows while the channel is attached. */
  readonly histories: ReadonlyMap<string, History>
}
