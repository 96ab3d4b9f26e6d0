import {
  type Clock,
  createEventSource,
  fetchTransport,
  nativeTransport,
  type Transport,
  type TypedEventSource,
} from '@sse/client'
import { type Events, events } from './events.ts'
import type { Heard } from './oracle.ts'
import type { Random } from './random.ts'

/** How much faster the clocks of readers run, so that they need not wait for a second between two attempts. */
const HASTE = 5

interface ReaderOptions {
  readonly native: boolean
  readonly cursor: string | undefined
  /** How many events were published by now. */
  published(): number
  readonly random: Random
}

/** A real source, and what it has told. */
export class Reader {
  readonly channels: readonly string[]
  readonly story: Heard[] = []
  readonly #source: TypedEventSource<Events>
  readonly #heard = new Set<number>()
  #reconnecting = false

  constructor(origin: string, channels: readonly string[], options: ReaderOptions) {
    this.channels = channels
    const { cursor, native, published, random } = options
    if (cursor !== undefined) this.story.push({ kind: 'cursor', id: cursor })
    const url = new URL('/events', origin)
    for (const channel of channels) url.searchParams.append('channel', channel)
    const transport = this.#watch(native ? nativeTransport : fetchTransport, random)
    this.#source = createEventSource<Events>(url, { events, transport, cursor, connectTimeout: 10_000 })
    this.#source.on('*', ({ data, event }, { id }) => {
      this.story.push({ kind: 'event', n: data.n, channel: data.channel, id })
      this.#heard.add(data.n)
      if (event === 'notice' && this.#reconnecting) {
        this.#reconnecting = false
        this.#note('reconnects')
        this.#source.reconnect()
      }
    })
    this.#source.onResync(({ channels, reason }) =>
      this.story.push({ kind: 'resync', reason, channels, n: published() }),
    )
    this.#source.onError((error) => this.#note(`${error.kind} ${error.status ?? ''}`))
    this.#source.subscribe((change) => {
      const { continuity, status } = this.#source.getState()
      if (change === 'state') this.#note(`${status} ${continuity ?? ''}`)
    })
  }

  /** Whether it has a cursor, so that whatever is published now reaches it. */
  get begun(): boolean {
    return this.#source.cursor !== ''
  }

  has(n: number): boolean {
    return this.#heard.has(n)
  }

  /** Connects anew in the middle of the next event that it is handed. */
  reconnectAtNext(): void {
    this.#reconnecting = true
  }

  /** Comes back at once if it is waiting for its next attempt. */
  hurry(): void {
    if (this.#source.getState().status === 'retrying') this.#source.reconnect()
  }

  close(): void {
    this.#source.close()
  }

  /** Its state, and what it had last. */
  toString(): string {
    return `${JSON.stringify(this.#source.getState())} of ${this.channels}:\n${this.trace(this.story.length - 1)}`
  }

  /** What it heard around a place of its story. */
  trace(at: number): string {
    return this.story
      .slice(Math.max(0, at - 20), at + 5)
      .map((item) => Object.values(item).join(' '))
      .join('\n  ')
  }

  #caughtUp(id: string): void {
    const last = this.story.at(-1)
    // A heartbeat repeats what is known.
    if (last?.kind !== 'cursor' || last.id !== id) this.story.push({ kind: 'cursor', id })
  }

  #note(text: string): void {
    this.story.push({ kind: 'note', text: text.trim() })
  }

  /** A transport with a clock in haste, which also tells of the cursor where the reader has caught up to it. */
  #watch(transport: Transport, random: Random): Transport {
    const clock: Clock = {
      now: () => Math.round(performance.now() * HASTE),
      after(milliseconds, callback) {
        const timer = setTimeout(callback, milliseconds / HASTE)
        return () => clearTimeout(timer)
      },
      // Full jitter on a backoff that grows would keep them away for most of the time.
      random: () => random.next() / 10,
    }
    return {
      clock,
      connect: (request, handlers) =>
        transport.connect(request, {
          ...handlers,
          event: (event) => {
            if (event.event !== 'sse.open') handlers.event(event)
            else {
              const data = JSON.parse(event.data)
              // The server's second is several of the reader's.
              handlers.event({
                ...event,
                data: JSON.stringify({ ...data, heartbeat: data.heartbeat * HASTE }),
              })
            }
            // Superseded attempts are told, too, but do not move the cursor.
            if (event.event === 'sse.live' && this.#source.cursor === event.id) this.#caughtUp(event.id)
          },
        }),
    }
  }
}
