import { assertRemovable, type EventInput, type EventName, encodePayload } from '@sse/contract'
import type { Message } from './entry.ts'
import type { EventStream } from './event-stream.ts'
import { checkChannels } from './limits.ts'
import { pump, type Source } from './producer.ts'
import type { Producer, Runs } from './runs.ts'
import type { Switchboard } from './switchboard.ts'
import { watch } from './watched.ts'

/** A named log that streams join. It exists as soon as it is named, and costs nothing until it is used. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface Channel<E = any> {
  readonly name: string
  /**
   * How many streams have joined it: exactly on this server, and as of about a second ago on the others that share its
   * broker (a killed server is still counted for some seconds). Reading it makes the others report; if it was not read for
   * a while, the first read has only the streams of this server.
   */
  readonly size: number
  /**
   * Publishes an event to everyone who has joined, and to those who resume.
   *
   * @returns the event's id, once the event is stored
   * @throws `ContractError` for an event that breaks the contract; {@link SseError} `ERR_SSE_EVENT_TOO_LARGE`,
   *   `ERR_SSE_CHANNEL_ENDED`, `ERR_SSE_BROKER`. If the promise is not awaited, the process does not crash: the hub emits
   *   `'error'`.
   */
  publish<N extends EventName<E>>(event: N, data: EventInput<E, N>): Promise<string>
  /**
   * Removes a state: readers are told, and new ones do not get it.
   *
   * @param key - required for keyed state, and for no other
   * @returns the id of the removal, once it is stored
   * @throws `ContractError` for an event that is not a state, and for a missing or superfluous key; {@link SseError} like
   *   {@link publish}
   */
  remove<N extends EventName<E>>(event: N, key?: string): Promise<string>
  /**
   * Publishes every item of a source, each when the one before is stored.
   *
   * @param options.signal - stops publishing, and the source
   * @returns when all items are stored, or it was stopped
   * @throws {@link SseError} `ERR_SSE_PRODUCER`, with what the source threw as its `cause`; otherwise like {@link publish}
   */
  publishAll<N extends EventName<E>>(
    event: N,
    source: Source<EventInput<E, N>>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  /**
   * Publishes the events that a producer makes, then ends the channel. It runs once: while it is at work, and after the
   * channel has ended, a second call starts nothing. It continues when readers leave; they come back, or arrive late, with
   * `join(channel, { last: Infinity })`. If it fails, readers get the reason `error`, and the hub emits `'error'`: an
   * {@link SseError} `ERR_SSE_PRODUCER` with what it threw as `cause`, or the error of the publish that failed.
   *
   * @returns when the channel has ended, even if the producer failed
   */
  run(producer: Producer<E>): Promise<void>
  /**
   * Ends the channel: readers get the rest, and then `sse.close` once all of their channels have ended. A producer at work
   * for it is stopped, on this server at once, on another with its next event.
   *
   * @param reason - what `sse.close` says. @defaultValue `'done'`
   * @returns the id of the end, once it is stored
   * @throws {@link SseError} `ERR_SSE_CHANNEL_ENDED`, `ERR_SSE_BROKER`
   */
  end(reason?: string): Promise<string>
  /**
   * Ends the connections of all its streams, and of those that are just joining it, on every server that shares its broker;
   * the clients reconnect with their cursors. If the other servers cannot be told, the hub emits `'error'`:
   * {@link SseError} `ERR_SSE_BROKER`.
   */
  disconnect(): void
}

export class HubChannel<E> implements Channel<E> {
  readonly name: string
  readonly #board: Switchboard<EventStream<E>>
  readonly #runs: Runs<E>

  constructor(name: string, board: Switchboard<EventStream<E>>, runs: Runs<E>) {
    checkChannels(board.options.limits, [name])
    this.name = name
    this.#board = board
    this.#runs = runs
  }

  get size(): number {
    const { elsewhere } = this.#board.options.broker
    return this.#board.size(this.name) + (elsewhere?.size(this.name, this.#board) ?? 0)
  }

  publish<N extends EventName<E>>(event: N, data: EventInput<E, N>): Promise<string> {
    return this.#watch(this.#publish(() => this.#event(event, data)))
  }

  remove<N extends EventName<E>>(event: N, key = ''): Promise<string> {
    const removed = this.#publish(() => {
      assertRemovable(this.#board.options.contract, event, key)
      return { kind: 'remove', event, key }
    })
    return this.#watch(removed)
  }

  publishAll<N extends EventName<E>>(
    event: N,
    source: Source<EventInput<E, N>>,
    { signal = new AbortController().signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const all = pump(source, signal, (data) => this.#publish(() => this.#event(event, data)))
    return this.#watch(all)
  }

  run(producer: Producer<E>): Promise<void> {
    return this.#runs.start(this, producer)
  }

  end(reason = 'done'): Promise<string> {
    const ended = this.#publish(() => ({ kind: 'end', reason: String(reason) })).then((id) => {
      this.#runs.stop(this.name)
      return id
    })
    return this.#watch(ended)
  }

  disconnect(): void {
    const { elsewhere } = this.#board.options.broker
    this.#board.disconnect(this.name)
    elsewhere?.disconnect(this.name, this.#board).catch((error) => this.#board.failed(error))
  }

  #event<N extends EventName<E>>(event: N, data: EventInput<E, N>): Message {
    return { kind: 'event', event, ...encodePayload(this.#board.options.contract, event, data) }
  }

  #watch<T>(promise: Promise<T>): Promise<T> {
    return watch(promise, (error) => this.#board.failed(error))
  }

  /** Runs in the turn of its call, up to the broker, so that calls in one turn keep their order. */
  #publish(create: () => Message): Promise<string> {
    try {
      // A custom broker may return something other than a promise.
      return Promise.resolve(this.#board.publish(this.name, create()))
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
