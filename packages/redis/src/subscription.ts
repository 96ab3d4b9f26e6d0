import { ErrorReply } from 'redis'
import { closedError, refusal } from './call-queue.ts'
import { type Deferred, defer } from './deferred.ts'
import { deadline, timeoutError, within } from './timeout.ts'

/** What of a client subscribes. */
export interface Subscriber {
  connect(): Promise<unknown>
  info(section: string): Promise<unknown>
  subscribe(topics: string[], listener: (message: string, topic: string) => void): Promise<unknown>
  unsubscribe(topics: string[]): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  destroy(): void
}

export interface SubscriptionOptions {
  /** Makes a client of the server that runs the scripts, not yet connected. */
  create(): Promise<Subscriber>
  heard(message: string, topic: string): void
  /** What is said from now on may not be heard. */
  lost(): void
  /** All topics are subscribed again. */
  regained(): void
}

/** Hears once that topics are subscribed, or why not. */
type Waiter = (failure?: { readonly reason: unknown }) => void

/** That some topics are subscribed, for those who may give up waiting for it: a promise keeps all who ever did. */
class Acknowledgement {
  readonly promise: Promise<void>
  readonly waiters: Set<Waiter> = new Set()
  settled = false

  constructor(promise: Promise<void>) {
    this.promise = promise
    const settle = (failure?: { readonly reason: unknown }): void => {
      this.settled = true
      for (const waiter of [...this.waiters]) waiter(failure)
      this.waiters.clear()
    }
    promise.then(
      () => settle(),
      (reason) => settle({ reason }),
    )
  }

  wait(waiter: Waiter): void {
    if (this.settled)
      this.promise.then(
        () => waiter(),
        (reason) => waiter({ reason }),
      )
    else this.waiters.add(waiter)
  }
}

interface Connection {
  readonly subscriber: Subscriber
  /** To which run of which primary it is. */
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
 * The one connection on which a process hears of its channels. Redis writes to it in the order in which it executes, so
 * that whatever is heard tells that everything before was heard as well, on all topics that were subscribed by then. Which
 * holds only on the very server that executes: what replicas and other nodes pass on may lack something.
 */
export class Subscription {
  readonly #options: SubscriptionOptions
  /** By topic, its acknowledgement. */
  readonly #topics = new Map<string, Acknowledgement>()
  /** Those among them that are to be left as soon as they are subscribed. */
  readonly #unwanted = new Set<string>()
  /** What every new connection has to subscribe before it is up. */
  readonly #acknowledged = new Set<string>()
  /** By topic, the end of its subscription: until then it cannot be subscribed anew. */
  readonly #leaving = new Map<string, Promise<void>>()
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

  /** Whether everything that is said is heard. */
  get up(): boolean {
    return this.#up
  }

  /** Why there is no connection, as far as that is known. */
  get failure(): unknown {
    return this.#failure
  }

  /**
   * @param timeout - how long it may take, in milliseconds; the topics stay wanted
   * @returns when Redis has acknowledged all of them
   * @throws {@link SseError} `ERR_SSE_BROKER` for what Redis refuses, and when time is up
   */
  async add(topics: readonly string[], timeout: number = Number.POSITIVE_INFINITY): Promise<void> {
    this.#start()
    for (const topic of topics) this.#unwanted.delete(topic)
    const added = topics.filter((topic) => !this.#topics.has(topic))
    if (added.length > 0) {
      const acknowledgement = new Acknowledgement(this.#subscribe(added))
      for (const topic of added) this.#topics.set(topic, acknowledgement)
      acknowledgement.promise.then(
        () => {
          for (const topic of added) if (this.#unwanted.delete(topic)) this.remove(topic)
        },
        () => {
          for (const topic of added) {
            this.#unwanted.delete(topic)
            this.#topics.delete(topic)
          }
        },
      )
    }
    const awaited = new Set(topics.flatMap((topic) => this.#topics.get(topic) ?? []))
    // Whoever gives up leaves nothing behind: Redis may be away for long, and many come meanwhile.
    await new Promise<void>((resolve, reject) => {
      let left = awaited.size
      const waiter: Waiter = (failure) => {
        if (failure !== undefined) done(() => reject(failure.reason))
        else if (--left === 0) done(resolve)
      }
      const done = (settle: () => void): void => {
        cancel()
        for (const acknowledgement of awaited) acknowledgement.waiters.delete(waiter)
        settle()
      }
      const cancel = Number.isFinite(timeout)
        ? deadline(timeout, () => done(() => reject(timeoutError(timeout, false, this.#failure))))
        : () => {}
      for (const acknowledgement of awaited) acknowledgement.wait(waiter)
    })
  }

  remove(topic: string): void {
    const acknowledgement = this.#topics.get(topic)
    if (acknowledgement === undefined) return
    if (!acknowledgement.settled) {
      this.#unwanted.add(topic)
      return
    }
    this.#topics.delete(topic)
    const left = acknowledgement.promise
      .then(() => {
        this.#acknowledged.delete(topic)
        return this.#connection?.subscriber.unsubscribe([topic])
      })
      // A connection that is lost is subscribed to nothing.
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (this.#leaving.get(topic) === left) this.#leaving.delete(topic)
      })
    this.#leaving.set(topic, left)
  }

  /**
   * Connects anew if what was heard, or answered, is of another server than the connection is to, which has taken its place.
   *
   * @returns whether it is of the same
   */
  follow(run: string): boolean {
    if (this.#connection?.run === run) return true
    this.restart()
    return false
  }

  /** Begins with a new connection, where the old one is silent, or to the wrong server. */
  restart(): void {
    if (this.#connection !== undefined) this.#lose(this.#connection)
  }

  close(): void {
    this.#closed = true
    this.#coming.resolve()
    this.restart()
  }

  async #subscribe(topics: string[]): Promise<void> {
    await Promise.all(topics.map((topic) => this.#leaving.get(topic)))
    for (;;) {
      if (!this.#up) await this.#coming.promise
      if (this.#closed) throw closedError()
      const connection = this.#connection
      if (connection === undefined) continue
      try {
        await connection.subscriber.subscribe(topics, connection.heard)
        if (connection !== this.#connection) continue
        for (const topic of topics) this.#acknowledged.add(topic)
        return
      } catch (error) {
        // Otherwise it was the connection, which another one takes the place of.
        if (error instanceof ErrorReply) throw refusal(error)
        await pause()
      }
    }
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#run()
  }

  /** One connection after the other: a broker never gives up, whatever the client's own strategy. */
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
    // The client would come back by itself, but to the same server, and without a word of what was missed.
    subscriber.on('error', () => this.#lose(connection))
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

  /** @returns which run of which primary it is connected to */
  async #connect(connection: Connection): Promise<string> {
    const { subscriber } = connection
    await subscriber.connect()
    // It may have been destroyed too early to know of the socket that it was about to open.
    if (connection !== this.#connection) subscriber.destroy()
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

/** @throws if the connection is over before */
const orOver = <T>(over: Deferred, promise: Promise<T>): Promise<T> =>
  Promise.race([promise, over.promise.then(() => Promise.reject(new Error('The connection is lost.')))])

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE))
