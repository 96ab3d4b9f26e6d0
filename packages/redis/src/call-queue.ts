import { SseError } from '@sse/express'
import { ErrorReply } from 'redis'
import { deadline, timeoutError } from './timeout.ts'

export interface CallQueueOptions<T, R> {
  /** Items of one call. */
  readonly limit: number
  /** The weight of one call, as far as it has more than one item. */
  readonly weight: number
  /** How long an item may take, in milliseconds. */
  readonly timeout: number
  /** Whether a call stores anything, so that one without an answer leaves that in doubt. */
  readonly stores: boolean
  weigh(item: T): number
  /** Makes a call; made again with the same items, and the same sequence number, if the connection was lost meanwhile. */
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
  /** Why it was called again. */
  failure: unknown
}

/** Pause before a call is made again, in milliseconds. */
const PAUSE = 25

/** Replies of a server that is about to be what it was, or that another one is about to replace. */
const PASSING = /^(LOADING|MASTERDOWN|READONLY|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|BUSY) /

/**
 * One call at a time, each with all that came meanwhile: calls keep their order whatever happens to the connection, only
 * the last one can be in doubt, and under load there are few of them.
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

  /** Refuses what comes, and lets what is under way come to its end. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // What is called in one turn goes together.
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
        // A reply that comes after everyone gave up is nobody's.
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

/** Whether it is the connection that failed, or a server that is about to come back. */
const isPassing = (error: unknown): boolean => !(error instanceof ErrorReply) || PASSING.test(error.message)

/** What Redis says, and what to do. */
const REMEDIES: readonly (readonly [said: RegExp, remedy: string])[] = [
  [
    /^OOM/,
    'Redis is out of memory, and nothing was stored: raise its maxmemory, or keep less with the history option.',
  ],
  [
    // The first line of a script, which tells what it does, is no Lua.
    /^ERR Error compiling script/,
    'Redis does not understand the scripts, as it is older than 7: use Redis 7 or later, or Valkey.',
  ],
]

/** What is told of an error that is none of ours. */
export function refusal(error: unknown): unknown {
  if (error instanceof SseError) return error
  const message = error instanceof Error ? error.message : String(error)
  const [, remedy = `Redis refused: ${message}`] = REMEDIES.find(([pattern]) => pattern.test(message)) ?? []
  return new SseError('ERR_SSE_BROKER', 503, remedy, { cause: error })
}
