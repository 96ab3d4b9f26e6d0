import { AsyncResource } from 'node:async_hooks'
import { ErrorReply } from 'redis'
import { closedError, refusal } from './call-queue.ts'
import { type Deferred, defer } from './deferred.ts'
import { within } from './timeout.ts'

/** The part of a client that subscribes. */
export interface Subscriber {
  connect(): Promise<unknown>
  info(section: string): Promise<unknown>
  subscribe(topics: string[], listener: (message: string, topic: string) => void): Promise<unknown>
  unsubscribe(topics: string[]): Promise<unknown>
  on(event: 'connect' | 'error', listener: () => void): unknown
  destroy(): void
}

export interface SubscriptionOptions {
  /** Makes a client of the server that runs the scripts, not yet connected. */
  create(): Promise<Subscriber>
  heard(message: string, topic: string): void
  /** From now on, something may be missed. */
  lost(): void
  /** All topics are subscribed, for the first time or again. */
  regained(): void
}

interface Connection {
  readonly subscriber: Subscriber
  /** The run of the primary that it is connected to. */
  run: string
  /** Resolves when it is no longer of use. */
  readonly over: Deferred
  readonly heard: (message: string, topic: string) => void
}

/** How long it may take to connect, in milliseconds. */
const CONNECT_TIME = 5_000

/** Pause before a connection is tried again, in milliseconds. */
const PAUSE = 100

/**
 * The one connection on which a process hears of its channels. Redis writes to it in the order in which it executes
 * commands, so that whatever is heard proves that everything before was heard too, on all topics subscribed by then. This
 * holds only on the server that executes them: replicas and other nodes may drop some of what they forward.
 */
export class Subscription {
  readonly #options: SubscriptionOptions
  /** Messages must not be handled in the async context of the request that joined first. */
  readonly #context = new AsyncResource('SseSubscription')
  /** The topics that every new connection must subscribe to before it is up. */
  readonly #acknowledged = new Set<string>()
  #connection: Connection | undefined
  /** Resolves when the next connection is up. */
  #coming: Deferred = defer()
  #up = false
  #failure: unknown
  #started = false
  #closed = false

  constructor(options: SubscriptionOptions) {
    this.#options = options
  }

  /** Whether everything published is heard. */
  get up(): boolean {
    return this.#up
  }

  /** Why there is no connection, if known. */
  get failure(): unknown {
    return this.#failure
  }

  /**
   * Subscribes, also on every connection to come.
   *
   * @returns when Redis has acknowledged it
   * @throws {@link SseError} `ERR_SSE_BROKER` for what Redis refuses, and when it is closed
   */
  async subscribe(topics: readonly string[]): Promise<void> {
    this.#start()
    for (;;) {
      if (!this.#up) await this.#coming.promise
      if (this.#closed) throw closedError()
      const connection = this.#connection
      if (connection === undefined) continue
      try {
        await connection.subscriber.subscribe([...topics], connection.heard)
        if (connection !== this.#connection) continue
        for (const topic of topics) this.#acknowledged.add(topic)
        return
      } catch (error) {
        // Otherwise the connection failed: wait for the next one.
        if (error instanceof ErrorReply) throw refusal(error)
        await pause()
      }
    }
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#acknowledged.delete(topic)
    try {
      await this.#connection?.subscriber.unsubscribe([topic])
    } catch {
      // A lost connection is subscribed to nothing.
    }
  }

  /**
   * Reconnects if a message or reply came from another run of a primary than the connection is to: that one has replaced it.
   *
   * @returns whether it came from the same run
   */
  follow(run: string): boolean {
    if (this.#connection?.run === run) return true
    this.restart()
    return false
  }

  /** Replaces a connection that is silent, or to the wrong server. */
  restart(): void {
    if (this.#connection !== undefined) this.#lose(this.#connection)
  }

  close(): void {
    this.#closed = true
    this.#coming.resolve()
    this.restart()
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#context.runInAsyncScope(() => void this.#run())
  }

  /** Opens one connection after the other: a broker never gives up, whatever the client's reconnect strategy. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#runOne().catch((error) => {
        this.#failure = error
        this.restart()
      })
      if (!this.#closed) await pause()
    }
  }

  /** @returns when the connection is lost */
  async #runOne(): Promise<void> {
    const subscriber = await within(CONNECT_TIME, this.#options.create())
    if (this.#closed) return
    const connection: Connection = {
      subscriber,
      run: '',
      over: defer(),
      heard: (message, topic) => {
        if (this.#connection === connection) this.#options.heard(message, topic)
      },
    }
    this.#connection = connection
    const { over } = connection
    // The client would reconnect by itself, but to the same server, and without reporting what it missed.
    subscriber.on('error', () => this.#lose(connection))
    // Destroying a client does not close a socket that it is about to open.
    subscriber.on('connect', () => {
      if (connection !== this.#connection) subscriber.destroy()
    })
    connection.run = await orOver(over, within(CONNECT_TIME, this.#connect(connection)))
    const topics = [...this.#acknowledged]
    if (topics.length > 0) {
      await orOver(over, within(CONNECT_TIME, subscriber.subscribe(topics, connection.heard)))
    }
    this.#up = true
    this.#failure = undefined
    this.#coming.resolve()
    this.#coming = defer()
    this.#options.regained()
    await over.promise
  }

  /** @returns the run of the primary that it is connected to */
  async #connect(connection: Connection): Promise<string> {
    const { subscriber } = connection
    await subscriber.connect()
    const info = String(await subscriber.info('replication'))
    if (!info.includes('role:master')) throw new Error('The connection is to a replica.')
    return /master_replid:(\w{8})/.exec(info)?.[1] ?? ''
  }

  #lose(connection: Connection): void {
    connection.subscriber.destroy()
    connection.over.resolve()
    if (connection !== this.#connection) return
    this.#connection = undefined
    if (!this.#up) return
    this.#up = false
    this.#options.lost()
  }
}

/** @throws if the connection is lost first */
const orOver = <T>(over: Deferred, promise: Promise<T>): Promise<T> =>
  Promise.race([promise, over.promise.then(() => Promise.reject(new Error('The connection is lost.')))])

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE))
