import { type Deferred, defer } from './deferred.ts'
import type { Subscription } from './subscription.ts'
import { within } from './timeout.ts'

/** The acknowledgement of a subscription, for callers that may time out: a promise would keep all of their callbacks. */
class Acknowledgement {
  readonly promise: Promise<void>
  settled = false
  readonly #waiters = new Set<Deferred>()

  constructor(promise: Promise<void>) {
    this.promise = promise
    const settle = (): void => {
      this.settled = true
      for (const { resolve } of this.#waiters) resolve()
    }
    promise.then(settle, settle)
  }

  /** @throws {@link SseError} for what Redis refuses, and when time is up, with the cause if it is known */
  async within(timeout: number, cause: () => unknown): Promise<void> {
    if (!this.settled) {
      const waiter = defer()
      this.#waiters.add(waiter)
      // Callers that time out leave nothing behind: Redis may be away for long, and many may come meanwhile.
      await within(timeout, waiter.promise, cause).finally(() => this.#waiters.delete(waiter))
    }
    return this.promise
  }
}

/** The topics that this process wants to hear: each is subscribed once, and unsubscribed when no longer wanted. */
export class Topics {
  readonly #subscription: Subscription
  /** By topic, its acknowledgement. */
  readonly #topics = new Map<string, Acknowledgement>()
  /** Topics to unsubscribe as soon as their subscription is acknowledged. */
  readonly #unwanted = new Set<string>()
  /** By topic, the unsubscribe in progress: it must finish before the topic is subscribed again. */
  readonly #leaving = new Map<string, Promise<void>>()

  constructor(subscription: Subscription) {
    this.#subscription = subscription
  }

  /**
   * @param timeout - how long to wait, in milliseconds; the topics stay wanted after that
   * @returns when Redis has acknowledged all of them
   * @throws {@link SseError} `ERR_SSE_BROKER` for what Redis refuses, and when time is up
   */
  async add(topics: readonly string[], timeout: number): Promise<void> {
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
    const cause = (): unknown => this.#subscription.failure
    await Promise.all([...awaited].map((acknowledgement) => acknowledgement.within(timeout, cause)))
  }

  remove(topic: string): void {
    const acknowledgement = this.#topics.get(topic)
    if (acknowledgement === undefined) return
    if (!acknowledgement.settled) {
      this.#unwanted.add(topic)
      return
    }
    this.#topics.delete(topic)
    const left = this.#subscription.unsubscribe(topic).then(() => {
      if (this.#leaving.get(topic) === left) this.#leaving.delete(topic)
    })
    this.#leaving.set(topic, left)
  }

  async #subscribe(topics: readonly string[]): Promise<void> {
    await Promise.all(topics.map((topic) => this.#leaving.get(topic)))
    await this.#subscription.subscribe(topics)
  }
}
