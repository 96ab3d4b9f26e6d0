import type { EventInput, EventName } from '@sse/contract'
import type { Reading } from './broker.ts'
import type { Channel } from './channel.ts'
import { SseError } from './errors.ts'
import { pump, type Source } from './producer.ts'

/** An event as a producer yields it. */
export type ProducedEvent<E> = {
  [N in EventName<E>]: { readonly event: N; readonly data: EventInput<E, N> }
}[EventName<E>]

/** Makes the events of a channel, however many readers it has meanwhile. */
export type Producer<E> = (context: {
  /** Aborts when the channel is ended, or the hub closes. */
  readonly signal: AbortSignal
}) => AsyncIterable<ProducedEvent<E>> | Iterable<ProducedEvent<E>>

/** What a run needs of a hub. */
interface RunSupport {
  attach(channels: readonly string[]): Reading | Promise<Reading>
  release(channels: readonly string[]): void
  failed(error: unknown): void
}

/** Pause before the broker is asked again that has refused, in milliseconds. */
const PAUSE = 250

/** The producers at work, one for a channel. */
export class Runs<E> {
  readonly #support: RunSupport
  readonly #running = new Map<string, Promise<void>>()
  /** What stops the producers that have something left to make. */
  readonly #producing = new Map<string, AbortController>()
  #closing = false

  constructor(support: RunSupport) {
    this.#support = support
  }

  /** Starts a producer for a channel, unless one is at work or the channel has ended. */
  start(channel: Channel<E>, producer: Producer<E>): Promise<void> {
    const { name } = channel
    const running = this.#running.get(name)
    if (running !== undefined) return running
    const run = this.#run(channel, producer).finally(() => this.#running.delete(name))
    this.#running.set(name, run)
    return run
  }

  /** Tells the producer of a channel to stop, as somebody has ended it. */
  stop(name: string): void {
    this.#producing.get(name)?.abort()
  }

  /** Tells all producers to stop, for good. */
  close(): void {
    this.#closing = true
    for (const abort of this.#producing.values()) abort.abort()
  }

  async #run(channel: Channel<E>, producer: Producer<E>): Promise<void> {
    const abort = new AbortController()
    if (this.#closing) abort.abort()
    // From the start, as the channel may be ended while the broker is asked.
    this.#producing.set(channel.name, abort)
    let attached = false
    try {
      // A channel that is being made is not idle, though nobody may read it yet.
      const { histories } = await this.#support.attach([channel.name])
      attached = true
      if (histories.get(channel.name)?.end !== undefined) return
      const source: Source<ProducedEvent<E>> = producer
      await pump(source, abort.signal, ({ event, data }) => channel.publish(event, data))
      if (!abort.signal.aborted) await this.#end(channel)
    } catch (error) {
      if (hasEnded(error)) {
        // Somebody stopped it, perhaps on another server.
        abort.abort()
        return
      }
      this.#support.failed(error)
      // Readers learn that it went wrong, but not what. An end that fails says less.
      await this.#end(channel, 'error').catch(() => {})
    } finally {
      this.#producing.delete(channel.name)
      if (attached) this.#support.release([channel.name])
    }
  }

  /** Ends a channel, however long the broker is away: its readers would wait for ever. */
  async #end(channel: Channel<E>, reason?: string): Promise<void> {
    // Nothing is left to stop.
    this.#producing.delete(channel.name)
    while (!this.#closing) {
      try {
        await channel.end(reason)
        return
      } catch (error) {
        // What was refused may have been stored, and somebody else may have been first.
        if (hasEnded(error)) return
        if (!(error instanceof SseError && error.code === 'ERR_SSE_BROKER')) throw error
        await new Promise((resolve) => setTimeout(resolve, PAUSE).unref())
      }
    }
  }
}

const hasEnded = (error: unknown): boolean =>
  error instanceof SseError && error.code === 'ERR_SSE_CHANNEL_ENDED'
