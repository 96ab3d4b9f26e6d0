import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http'
import { createDecoder, type DecodedEvent } from '@sse/protocol'

/** A reader as a browser is one: comes back with its last id until it is told to stay away. */
export class Reader {
  /** The id with which it comes back. */
  lastEventId = ''
  connections = 0

  readonly #port: number
  readonly #path: string
  readonly #heard: (event: DecodedEvent) => void
  #request: ClientRequest | undefined
  #stopped = false

  constructor(port: number, path: string, heard: (event: DecodedEvent) => void) {
    this.#port = port
    this.#path = path
    this.#heard = heard
  }

  open(): void {
    if (this.#stopped) return
    this.connections += 1
    const headers = this.lastEventId === '' ? {} : { 'last-event-id': this.lastEventId }
    const agent = new Agent({ keepAlive: false })
    const request = get({ host: '127.0.0.1', port: this.#port, path: this.#path, headers, agent })
    this.#request = request
    request.on('response', (response) => this.#read(response))
    request.on('error', () => {})
    request.on('close', () => {
      if (this.#request !== request) return
      this.#request = undefined
      setImmediate(() => this.open())
    })
  }

  /** Gives a connection up and opens another one, as a watchdog would that hears nothing. */
  reopen(): void {
    this.#request?.destroy()
  }

  stop(): void {
    this.#stopped = true
    this.#request?.destroy()
  }

  #read(response: IncomingMessage): void {
    const decoder = createDecoder({
      lastEventId: this.lastEventId,
      onEvent: (event) => {
        this.lastEventId = event.id
        this.#heard(event)
      },
    })
    response.on('data', (chunk: Buffer) => decoder.feed(chunk))
    response.on('error', () => {})
  }
}
