import type { Message } from './entry.ts'
import type { History, Retention } from './history.ts'

/**
 * The one seam between hubs and where their channels' logs are kept: in this process ({@link memoryBroker}), or in a
 * store that several servers share. What answers at once may do so without a promise: a join then takes effect at once.
 */
export interface Broker {
  /**
   * Gives a message its position, higher than every earlier one of this log, appends it to the channel and tells every
   * sink that is attached. Of two calls in one turn the first comes first.
   *
   * @returns its id
   */
  publish(channel: string, message: Message, retention: Retention): Promise<string>
  /**
   * From its return, or its resolution, on `sink` hears of every entry of these channels. Attaching twice is one
   * attachment.
   */
  attach(channels: readonly string[], sink: BrokerSink): void | Promise<void>
  /** The sink hears no more of this channel. */
  detach(channel: string, sink: BrokerSink): void
  /**
   * The logs of attached channels, and where the whole log stands.
   *
   * @param after - the position from which a reader wants to go on: each history covers what is retained beyond it
   * @param epoch - the log that it is a position of, as the reader says: one that this process has not heard of yet may
   *   be that of today
   */
  read(channels: readonly string[], after: number | undefined, epoch?: string): Reading | Promise<Reading>
  /** Lets go of everything; later calls reject. */
  close(): Promise<void>
  /** The readers of the other hubs; left out by a broker that cannot reach them. */
  readonly elsewhere?: Elsewhere
}

/** What a hub may know of the readers that other hubs of the same log have, and do to them. Nothing of it is stored. */
export interface Elsewhere {
  /**
   * About how many readers a channel has at all hubs but that of the sink, as they said last. Whoever asks begins to
   * follow the channel, for as long as it goes on asking.
   */
  size(channel: string, except: BrokerSink): number
  /**
   * Has every hub but that of the sink end the connections of a channel's readers.
   *
   * @throws {@link SseError} `ERR_SSE_BROKER` if the others could not be told in time
   */
  disconnect(channel: string, except: BrokerSink): Promise<void>
}

/** What a broker tells a hub. */
export interface BrokerSink {
  /** The history of this channel has grown, or is verified further. */
  changed(channel: string): void
  /**
   * Entries are about to be dropped: readers that can take them are to be served first.
   *
   * @param upTo - the highest position of them; whatever there is, if it is not said
   */
  beforeEviction(upTo?: number): void
  /**
   * The log began anew, in another epoch: histories read so far stand still, and positions known so far say nothing. Or it
   * is the same one, and readers may have been let past what was missing. Attachments hold; everything is to be read again.
   */
  reset(): void
  /** How many readers a channel has here. */
  size(channel: string): number
  /** Ends the connections of a channel's readers; they come back. */
  disconnect(channel: string): void
}

/** What {@link Broker.read} found. */
export interface Reading {
  /** The name of the log: a position of another one says nothing here. */
  readonly epoch: string
  /** The highest position given so far. */
  readonly head: number
  /**
   * Whether the position that was asked for was given and is lost since, with whatever came behind it: who has it is told.
   * Left out by a broker that loses nothing without a new epoch.
   */
  readonly lost?: boolean
  /** The live log of each channel; it grows while the channel is attached. */
  readonly histories: ReadonlyMap<string, History>
}
