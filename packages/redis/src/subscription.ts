import { ErrorReply } from 'redis'

/** What of a client subscribes. */
export interface Subscriber {
  readonly isOpen: boolean
  connect(): Promise<unknown>
  subscribe(topics: string[], listener: (message: string, topic: string) => void): Promise<unknown>
  unsubscribe(topics: string[]): Promise<unknown>
  on(event: 'error' | 'ready', listener: () => void): unknown
  destroy(): void
}

export interface SubscriptionEvents {
  heard(message: string, topic: string): void
  /** What is said from now on may not be heard. */
  lost(): void
  /** All topics are subscribed again. */
  regained(): void
}

/** Pause before a connection is tried again that node-redis has given up, in milliseconds. */
const PAUSE = 100

/**
 * The one connection on which a process hears of its channels. Redis writes to it in the order in which it executes, so
 * that whatever is heard tells that everything before was heard as well, on all topics that were subscribed by then.
 */
export class Subscription {
  readonly #create: () => Subscriber
  readonly #events: SubscriptionEvents
  /** By topic, its acknowledgement. */
  readonly #topics = new Map<string, Promise<void>>()
  /** By topic, the end of its subscription: until then it cannot be subscribed anew. */
  readonly #leaving = new Map<string, Promise<void>>()
  #subscriber: Subscriber | undefined
  #up = false
  #closed = false

  constructor(create: () => Subscriber, events: SubscriptionEvents) {
    this.#create = create
    this.#events = events
  }

  /** Whether everything that is said is heard. */
  get up(): boolean {
    return this.#up
  }

  /** @returns when Redis has acknowledged all of them */
  async add(topics: readonly string[]): Promise<void> {
    this.#subscriber ??= this.#open()
    const added = topics.filter((topic) => !this.#topics.has(topic))
    if (added.length > 0) {
      const acknowledged = this.#subscribe(this.#subscriber, added)
      for (const topic of added) this.#topics.set(topic, acknowledged)
      acknowledged.catch(() => {
        for (const topic of added) this.#topics.delete(topic)
      })
    }
    await Promise.all(topics.map((topic) => this.#topics.get(topic)))
  }

  remove(topic: string): void {
    const acknowledged = this.#topics.get(topic)
    if (acknowledged === undefined) return
    this.#topics.delete(topic)
    const left = acknowledged
      .then(() => this.#subscriber?.unsubscribe([topic]))
      // A connection that is lost is subscribed to nothing; node-redis may still renew it, which only costs.
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (this.#leaving.get(topic) === left) this.#leaving.delete(topic)
      })
    this.#leaving.set(topic, left)
  }

  /** Begins with a new connection, where the old one is silent. */
  restart(): void {
    if (!this.#up || this.#subscriber === undefined) return
    this.#lose()
    this.#subscriber.destroy()
    this.#connect(this.#subscriber)
  }

  close(): void {
    this.#closed = true
    this.#up = false
    this.#subscriber?.destroy()
  }

  async #subscribe(subscriber: Subscriber, topics: string[]): Promise<void> {
    await Promise.all(topics.map((topic) => this.#leaving.get(topic)))
    for (;;) {
      try {
        await subscriber.subscribe(topics, this.#events.heard)
        return
      } catch (error) {
        // Otherwise it was the connection, which comes back.
        if (this.#closed || error instanceof ErrorReply) throw error
        await pause()
      }
    }
  }

  #open(): Subscriber {
    const subscriber = this.#create()
    subscriber.on('error', () => {
      this.#lose()
      // The client's own strategy may give up, which a broker never does.
      if (!subscriber.isOpen) pause().then(() => this.#connect(subscriber))
    })
    // Emitted when the topics of before are subscribed again.
    subscriber.on('ready', () => {
      this.#up = true
      this.#events.regained()
    })
    this.#connect(subscriber)
    return subscriber
  }

  #connect(subscriber: Subscriber): void {
    if (this.#closed || subscriber.isOpen) return
    subscriber.connect().catch(() => pause().then(() => this.#connect(subscriber)))
  }

  #lose(): void {
    if (!this.#up) return
    this.#up = false
    this.#events.lost()
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE))
