import type { EventInput, EventName } from '@sse/contract'
import type { Reading } from './broker.ts'
import type { Channel } from './channel.ts'
import { SseError } from './errors.ts'
import { pump, type Source } from './producer.ts'

/** An event as a producer yields it. */
export type ProducedEvent<E> = {
  [N in EventName<E>]: { readonly event: N; readonly data: EventInput<E, N> }
}[EventName<E>]

/** Makes the events of a channel, whether or not it has readers. */
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

/** Pause before another attempt after the broker has refused, in milliseconds. */
const PAUSE = 250

/** The running producers, one per channel. */
export class Runs<E> {
  readonly #support: RunSupport
  readonly #running = new Map<string, Promise<void>>()
  /** Stops the producers that are not done. */
  readonly #producing = new Map<string, AbortController>()
  #closing = false

  constructor(support: RunSupport) {
    this.#support = support
  }

  /** Starts a producer for a channel, unless one is running or the channel has ended. */
  start(channel: Channel<E>, producer: Producer<E>): Promise<void> {
    const { name } = channel
    const running = this.#running.get(name)
    if (running !== undefined) return running
    const run = this.#run(channel, producer).finally(() => this.#running.delete(name))
    this.#running.set(name, run)
    return run
  }

  /** Stops the producer of a channel that was ended. */
  stop(name: string): void {
    this.#producing.get(name)?.abort()
  }

  /** Stops all producers, and those that start later. */
  close(): void {
    this.#closing = true
    for (const abort of this.#producing.values()) abort.abort()
  }

  async #run(channel: Channel<E>, producer: Producer<E>): Promise<void> {
    const abort = new AbortController()
    if (this.#closing) abort.abort()
    // Before the broker is asked, since the channel may be ended meanwhile.
    this.#producing.set(channel.name, abort)
    let attached = false
    try {
      // Attached, so that the channel does not count as idle while it has no readers.
      const { histories } = await this.#support.attach([channel.name])
      attached = true
      if (histories.get(channel.name)?.end !== undefined) return
      const source: Source<ProducedEvent<E>> = producer
      await pump(source, abort.signal, ({ event, data }) => channel.publish(event, data))
      if (!abort.signal.aborted) await this.#end(channel)
    } catch (error) {
      if (hasEnded(error)) {
        // The channel was ended, perhaps on another server.
        abort.abort()
        return
      }
      this.#support.failed(error)
      // Readers learn that it failed, but not why. If this fails too, the first error says more.
      await this.#end(channel, 'error').catch(() => {})
    } finally {
      this.#producing.delete(channel.name)
      if (attached) this.#support.release([channel.name])
    }
  }

  /** Ends a channel, however long the broker is away, since its readers would wait for ever. */
  async #end(channel: Channel<E>, reason?: string): Promise<void> {
    // The producer is done: `channel.end` must not stop it.
    this.#producing.delete(channel.name)
    while (!this.#closing) {
      try {
        await channel.end(reason)
        return
      } catch (error) {
        // An attempt that failed may have been stored, or the channel been ended by others.
        if (hasEnded(error)) return
        if (!(error instanceof SseError && error.code === 'ERR_SSE_BROKER')) throw error
        await new Promise((resolve) => setTimeout(resolve, PAUSE).unref())
      }
    }
  }
}

const hasEnded = (error: unknown): boolean =>
  error instanceof SseError && error.code === 'ERR_SSE_CHANNEL_ENDED'
