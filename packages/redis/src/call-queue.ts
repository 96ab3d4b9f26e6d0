import { SseError } from '@sse/express'
import { ErrorReply } from 'redis'
import { deadline, timeoutError } from './timeout.ts'

export interface CallQueueOptions<T, R> {
  /** The most items of one call. */
  readonly limit: number
  /** The most weight of one call; a single item may exceed it. */
  readonly weight: number
  /** How long an item may take, in milliseconds. */
  readonly timeout: number
  /** Whether calls store anything, so that it is in doubt whether one without a reply did. */
  readonly stores: boolean
  weigh(item: T): number
  /** Makes a call. It is repeated with the same items and sequence number if the connection was lost meanwhile. */
  call(items: readonly T[], sequence: number, signal: AbortSignal): Promise<readonly R[]>
}

interface Ticket<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
  cancel: () => void
}

interface Batch<T, R> {
  readonly tickets: Set<Ticket<T, R>>
  readonly abandon: AbortController
  /** Why the last attempt failed. */
  failure: unknown
}

/** Pause before a call is repeated, in milliseconds. */
const PAUSE = 25

/** Replies of a server that is about to recover, or to be replaced by another one. */
const PASSING = /^(LOADING|MASTERDOWN|READONLY|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|BUSY) /

/**
 * Makes one call at a time, each with all items added meanwhile. So calls keep their order whatever happens to the
 * connection, only the last one can be in doubt, and under load there are few of them.
 */
export class CallQueue<T, R> {
  readonly #options: CallQueueOptions<T, R>
  #waiting: Ticket<T, R>[] = []
  #batch: Batch<T, R> | undefined
  #running: Promise<void> | undefined
  #sequence = 0
  #closed = false

  constructor(options: CallQueueOptions<T, R>) {
    this.#options = options
  }

  /** @throws {@link SseError} `ERR_SSE_BROKER` when time is up, or for what Redis refuses */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError())
        return
      }
      const ticket: Ticket<T, R> = { item, resolve, reject, cancel: () => {} }
      ticket.cancel = deadline(this.#options.timeout, () => this.#giveUp(ticket))
      this.#waiting.push(ticket)
      this.#running ??= this.#run()
    })
  }

  /** Refuses new items. @returns when the calls for earlier ones are done */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Items added in one turn go into one call.
    await undefined
    while (this.#waiting.length > 0) await this.#callFor(this.#take())
    this.#running = undefined
  }

  #take(): Ticket<T, R>[] {
    const { limit, weigh } = this.#options
    let weight = 0
    let count = 0
    for (const { item } of this.#waiting) {
      weight += weigh(item)
      if (count === limit || (count > 0 && weight > this.#options.weight)) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  async #callFor(tickets: readonly Ticket<T, R>[]): Promise<void> {
    const abandon = new AbortController()
    const batch: Batch<T, R> = { tickets: new Set(tickets), abandon, failure: undefined }
    const items = tickets.map(({ item }) => item)
    const sequence = ++this.#sequence
    const abandoned = new Promise<undefined>((resolve) => {
      abandon.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    this.#batch = batch
    while (!abandon.signal.aborted) {
      try {
        const call = this.#options.call(items, sequence, abandon.signal)
        // Nobody handles a failure after all items have timed out.
        call.catch(() => {})
        const results = await Promise.race([call, abandoned])
        if (results !== undefined) this.#settle(batch, tickets, results)
        break
      } catch (error) {
        if (!(error instanceof SseError) && isPassing(error)) {
          batch.failure = error
          await new Promise((resolve) => setTimeout(resolve, PAUSE))
          continue
        }
        for (const ticket of batch.tickets) this.#reject(ticket, refusal(error))
        break
      }
    }
    this.#batch = undefined
  }

  #settle(batch: Batch<T, R>, tickets: readonly Ticket<T, R>[], results: readonly R[]): void {
    for (const [index, ticket] of tickets.entries()) {
      const result = results[index]
      if (!batch.tickets.has(ticket) || result === undefined) continue
      ticket.cancel()
      ticket.resolve(result)
    }
  }

  #reject(ticket: Ticket<T, R>, error: unknown): void {
    ticket.cancel()
    ticket.reject(error)
  }

  #giveUp(ticket: Ticket<T, R>): void {
    const waits = this.#waiting.indexOf(ticket)
    if (waits >= 0) this.#waiting.splice(waits, 1)
    const { stores, timeout } = this.#options
    this.#reject(ticket, timeoutError(timeout, stores && waits < 0, this.#batch?.failure))
    this.#batch?.tickets.delete(ticket)
    if (this.#batch?.tickets.size === 0) this.#batch.abandon.abort()
  }
}

export const closedError = (): SseError =>
  new SseError('ERR_SSE_BROKER', 503, 'The broker is closed: publish before hub.close().')

/** Whether the connection failed, or the server is about to recover: the call is worth repeating. */
const isPassing = (error: unknown): boolean => !(error instanceof ErrorReply) || PASSING.test(error.message)

/** Errors of Redis, and what to tell the user. */
const REMEDIES: readonly (readonly [said: RegExp, remedy: string])[] = [
  [
    /^OOM/,
    'Redis is out of memory, and nothing was stored: raise its maxmemory, or keep less with the history option.',
  ],
  [
    // Before Redis 7, the flags in the first line of a script are a syntax error.
    /^ERR Error compiling script/,
    'Redis does not understand the scripts, as it is older than 7: use Redis 7 or later, or Valkey.',
  ],
]

/** Turns an error of Redis or its client into an {@link SseError}. */
export function refusal(error: unknown): unknown {
  if (error instanceof SseError) return error
  const message = error instanceof Error ? error.message : String(error)
  const [, remedy = `Redis refused: ${message}`] = REMEDIES.find(([pattern]) => pattern.test(message)) ?? []
  return new SseError('ERR_SSE_BROKER', 503, remedy, { cause: error })
}
