import type { AddressInfo } from 'node:net'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

/** One connection through the proxy, and what can befall it. */
export class Link {
  readonly #client: Socket
  readonly #server: Socket
  #trickling = false
  #left: Buffer[] = []
  #over = false

  constructor(client: Socket, server: Socket, over: () => void) {
    this.#client = client
    this.#server = server
    client.pipe(server)
    server.on('data', (chunk: Buffer) => {
      if (this.#trickling) this.#trickle(chunk)
      else if (!client.write(chunk)) server.pause()
    })
    client.on('drain', () => server.resume())
    server.on('end', () => client.end())
    for (const socket of [client, server]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        if (this.#over) return
        this.#over = true
        client.destroy()
        server.destroy()
        over()
      })
    }
  }

  /** Breaks at once, with what is under way. */
  cut(): void {
    this.#client.destroy()
  }

  /** Takes nothing from the server any more, until {@link flow}. */
  stall(): void {
    this.#server.pause()
  }

  flow(): void {
    this.#trickling = false
    for (const chunk of this.#left.splice(0)) this.#client.write(chunk)
    this.#server.resume()
  }

  /** Hands on byte by byte, each in a packet of its own as far as the system lets it. */
  trickle(): void {
    this.#trickling = true
    this.#client.setNoDelay(true)
  }

  /** The client is gone, and the server is not told: its bytes go nowhere. */
  halfOpen(): void {
    this.#client.unpipe(this.#server)
    this.#over = true
    this.#server.removeAllListeners('data').resume()
    this.#client.destroy()
  }

  /** The end of what {@link halfOpen} began. */
  reap(): void {
    this.#server.destroy()
  }

  #trickle(chunk: Buffer): void {
    const idle = this.#left.length === 0
    this.#left.push(chunk)
    if (idle) this.#next()
  }

  #next(): void {
    const [chunk] = this.#left
    if (chunk === undefined || this.#client.destroyed || !this.#trickling) return
    this.#client.write(chunk.subarray(0, 1))
    if (chunk.length > 1) this.#left[0] = chunk.subarray(1)
    else this.#left.shift()
    setImmediate(() => this.#next())
  }
}

/** A TCP proxy in front of a server, whose links can be cut, stalled, trickled and left half open. */
export class FaultProxy {
  readonly links = new Set<Link>()
  readonly #server: Server
  readonly #halfOpen: Link[] = []

  constructor(port: number) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const link: Link = new Link(client, dial(port, '127.0.0.1'), () => this.links.delete(link))
      this.links.add(link)
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  /** Leaves a link half open, to be reaped at the end. */
  halfOpen(link: Link): void {
    this.links.delete(link)
    this.#halfOpen.push(link)
    link.halfOpen()
  }

  close(): void {
    for (const link of this.links) link.cut()
    for (const link of this.#halfOpen) link.reap()
    this.#server.close()
  }
}
