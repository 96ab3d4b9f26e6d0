import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { createDecoder, type DecodedEvent, type Decoder } from '@sse/protocol'

/** An event as a test sees it. */
export interface TestEvent extends DecodedEvent {
  /** Its data, parsed. */
  readonly json: unknown
}

/** One connection of a test, and what arrived on it. */
export class TestStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Resolves when the response has closed, for whatever reason. */
  readonly ended: Promise<void>
  /** Everything that arrived, as text. */
  raw = ''
  /** How long the server asks to wait before reconnecting, in milliseconds. */
  retry: number | undefined

  readonly #response: IncomingMessage
  readonly #timeout: number
  readonly #reconnect: (lastEventId: string) => Promise<TestStream>
  readonly #decoder: Decoder
  readonly #events: TestEvent[] = []
  #taken = 0
  #over = false
  #arrived: (() => void)[] = []

  constructor(
    response: IncomingMessage,
    timeout: number,
    lastEventId: string,
    reconnect: (lastEventId: string) => Promise<TestStream>,
  ) {
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    this.#response = response
    this.#timeout = timeout
    this.#reconnect = reconnect
    this.#decoder = createDecoder({
      lastEventId,
      onEvent: (event) => this.#events.push(withJson(event)),
      onRetry: (milliseconds) => {
        this.retry = milliseconds
      },
    })
    const utf8 = new TextDecoder()
    response.on('data', (chunk: Buffer) => {
      this.raw += utf8.decode(chunk, { stream: true })
      this.#decoder.feed(chunk)
      this.#wake()
    })
    response.on('error', () => {})
    this.ended = new Promise((resolve) => {
      response.once('close', () => {
        this.#over = true
        this.#wake()
        resolve()
      })
    })
  }

  /** The comments that arrived. */
  get comments(): string[] {
    const lines = this.raw.split(/\r\n?|\n/).slice(0, -1)
    return lines.filter((line) => line.startsWith(':')).map((line) => line.replace(/^: ?/, ''))
  }

  /** The id with which {@link resume} reconnects. */
  get lastEventId(): string {
    return this.#decoder.lastEventId
  }

  /** Everything that arrived so far, control events included. */
  all(): readonly TestEvent[] {
    return [...this.#events]
  }

  /**
   * The next event that was not taken yet; with a name, the next one of that name, skipping others.
   *
   * @throws Error if it does not come in time, or the stream ends before
   */
  async next(name?: string): Promise<TestEvent> {
    const until = Date.now() + this.#timeout
    for (;;) {
      const event = this.#events[this.#taken]
      if (event !== undefined) {
        this.#taken += 1
        if (name === undefined || event.event === name) return event
        continue
      }
      if (this.#over) throw this.#missing(name, 'before the stream ended')
      if (!(await this.#more(until - Date.now()))) throw this.#missing(name, `within ${this.#timeout} ms`)
    }
  }

  /**
   * Everything that was not taken yet, up to the next event of a name, this one included.
   *
   * @throws Error if it does not come in time, or the stream ends before
   */
  async upTo(name: string): Promise<readonly TestEvent[]> {
    const from = this.#taken
    await this.next(name)
    return this.#events.slice(from, this.#taken)
  }

  /** Everything that was not taken yet, up to the end of the stream, for which it waits. */
  async rest(): Promise<readonly TestEvent[]> {
    await this.ended
    const from = this.#taken
    this.#taken = this.#events.length
    return this.#events.slice(from)
  }

  /** Stops reading, like a client that hangs. */
  pause(): void {
    this.#response.pause()
  }

  /** Continues reading after {@link pause}. */
  unpause(): void {
    this.#response.resume()
  }

  /** Cuts the connection from this side. */
  async drop(): Promise<void> {
    this.#response.destroy()
    await this.ended
  }

  /** Reconnects with the last event id, as a browser would. */
  resume(): Promise<TestStream> {
    return this.#reconnect(this.lastEventId)
  }

  /** Waits for more to arrive. @returns `false` if time was up first */
  #more(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), Math.max(0, milliseconds))
      this.#arrived.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  #wake(): void {
    const arrived = this.#arrived
    this.#arrived = []
    for (const wake of arrived) wake()
  }

  #missing(name: string | undefined, when: string): Error {
    const seen = this.#events.map(({ event }) => event).join(', ') || 'nothing'
    return new Error(
      `No ${name === undefined ? 'event' : `'${name}'`} ${when}; status ${this.status}, seen: ${seen}.`,
    )
  }
}

function withJson(event: DecodedEvent): TestEvent {
  return {
    ...event,
    get json() {
      return JSON.parse(event.data)
    },
  }
}
