import type { Message } from './entry.ts'
import type { History, Retention } from './history.ts'

/**
 * The interface between hubs and the place where their channels' logs are kept: this process ({@link memoryBroker}), or a
 * store that several servers share. A method that can answer at once may do so without a promise: a join then takes effect
 * at once.
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
   * Once it has returned, or its promise has resolved, `sink` is told of every entry of these channels. Attaching twice has
   * no further effect.
   */
  attach(channels: readonly string[], sink: BrokerSink): void | Promise<void>
  /** The sink is no longer told of this channel. */
  detach(channel: string, sink: BrokerSink): void
  /**
   * The logs of attached channels, and the position of the log as a whole.
   *
   * @param after - the position from which a reader resumes: each history covers what is retained after it
   * @param epoch - the log that the reader says this position belongs to: it may be a new one that this process has not
   *   heard of yet
   */
  read(channels: readonly string[], after: number | undefined, epoch?: string): Reading | Promise<Reading>
  /** Releases everything; later calls reject. */
  close(): Promise<void>
  /** The readers of the other hubs; left out by a broker that cannot reach them. */
  readonly elsewhere?: Elsewhere
}

/** What a hub can ask of, and do to, the readers of other hubs of the same log. Nothing of it is stored. */
export interface Elsewhere {
  /**
   * About how many readers a channel has at all hubs but that of the sink, as they last reported. Asking makes the others
   * report, for as long as the asking goes on.
   */
  size(channel: string, except: BrokerSink): number
  /**
   * Makes every hub but that of the sink end the connections of a channel's readers.
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
   * Entries are about to be dropped: readers that can take them must be served first.
   *
   * @param upTo - their highest position; everything, if left out
   */
  beforeEviction(upTo?: number): void
  /**
   * The log began anew, in another epoch: histories read so far no longer change, and known positions mean nothing. Or it is
   * the same log, but readers may have skipped what was missing. Attachments stay; everything must be read again.
   */
  reset(): void
  /** How many readers a channel has here. */
  size(channel: string): number
  /** Ends the connections of a channel's readers; they reconnect. */
  disconnect(channel: string): void
}

/** What {@link Broker.read} found. */
export interface Reading {
  /** The name of the log: a position of another one says nothing here. */
  readonly epoch: string
  /** The highest position given so far. */
  readonly head: number
  /**
   * Whether the position that was asked for once existed and was lost since, with everything after it: its reader is told.
   * Left out by a broker that loses nothing without a new epoch.
   */
  readonly lost?: boolean
  /** The live log of each channel; it grows while the channel is attached. */
  readonly histories: ReadonlyMap<string, History>
}
