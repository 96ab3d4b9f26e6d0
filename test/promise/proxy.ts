import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * What befalls a connection: it is cut, which what was sent before survives, or reset; no more is taken from the server
 * for a while, or anything sent is swallowed; the reader is told that the server has ended, who is not told; or the other
 * way round.
 */
export const BLOWS = ['cut', 'reset', 'stall', 'swallow', 'abandon', 'half-close'] as const
type Blow = (typeof BLOWS)[number]

/** A blow, after how many more bytes from the server it strikes, and how long it lasts if it does not end the connection. */
export interface Strike {
  readonly blow: Blow
  readonly bytes: number
  readonly milliseconds: number
}

/** A reader's connection, and the one to a server. */
class Link {
  readonly #near: Socket
  readonly #far: Socket
  #strike: Strike | undefined
  #swallowing = false
  #abandoned = false
  #timer: NodeJS.Timeout | undefined

  constructor(near: Socket, far: Socket, over: () => void) {
    this.#near = near
    this.#far = far
    near.on('data', (chunk) => far.write(chunk))
    near.on('end', () => {
      if (!this.#abandoned) far.end()
    })
    far.on('data', (chunk) => this.#carry(chunk))
    far.on('end', () => near.end())
    near.on('drain', () => far.resume())
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    near.on('close', () => {
      if (!this.#abandoned) this.end()
    })
    far.on('close', () => this.end())
    Promise.all([once(near, 'close'), once(far, 'close')]).then(over, over)
  }

  /** The next of its strikes; a former one that has not struck yet is forgotten. */
  expect(strike: Strike): void {
    this.#strike = strike
  }

  /** Whatever lasts is over. */
  relieve(): void {
    clearTimeout(this.#timer)
    this.#strike = undefined
    // What was swallowed is missing from the bytes, so it cannot go on.
    if (this.#swallowing) this.end()
    this.#far.resume()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#near.destroy()
    this.#far.destroy()
  }

  #carry(chunk: Buffer): void {
    const { bytes } = this.#strike ?? { bytes: Number.POSITIVE_INFINITY }
    if (this.#strike === undefined || chunk.length < bytes) {
      if (this.#strike !== undefined) this.#strike = { ...this.#strike, bytes: bytes - chunk.length }
      this.#pass(chunk)
      return
    }
    const { blow, milliseconds } = this.#strike
    this.#strike = undefined
    this.#pass(chunk.subarray(0, bytes))
    this.#suffer(blow, milliseconds)
    if (blow === 'stall' || blow === 'half-close') this.#pass(chunk.subarray(bytes))
  }

  #pass(chunk: Buffer): void {
    if (this.#swallowing || this.#near.destroyed || chunk.length === 0) return
    if (!this.#near.write(chunk)) this.#far.pause()
  }

  #suffer(blow: Blow, milliseconds: number): void {
    switch (blow) {
      case 'cut':
        this.#swallowing = true
        this.#near.end(() => this.end())
        return
      case 'reset':
        this.#near.resetAndDestroy()
        this.#far.resetAndDestroy()
        return
      case 'stall':
        this.#far.pause()
        this.#timer = setTimeout(() => this.#far.resume(), milliseconds)
        return
      case 'swallow':
        this.#swallowing = true
        return
      case 'abandon':
        this.#swallowing = true
        this.#abandoned = true
        this.#near.end()
        this.#timer = setTimeout(() => this.end(), milliseconds)
        return
      case 'half-close':
        this.#far.end()
    }
  }
}

/** The hostile network between readers and servers. */
export class HostileProxy {
  /** How many connections there were. */
  connections = 0
  /** Whether requests are answered by 503, as a proxy does that has no server left. */
  refusing = false
  readonly #server: Server
  readonly #links = new Set<Link>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** @param target - the port of a server for the next connection; none, if that server is away */
  static async start(target: () => number | undefined): Promise<HostileProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    const proxy = new HostileProxy(server)
    server.on('connection', (near) => {
      proxy.connections += 1
      const port = target()
      if (proxy.refusing) refuse(near)
      else if (port === undefined) near.destroy()
      else proxy.#connect(near, port)
    })
    await once(server, 'listening')
    return proxy
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Prepares a strike for some of the connections. */
  strike(strike: Strike, isMeant: () => boolean): void {
    for (const link of this.#links) if (isMeant()) link.expect(strike)
  }

  /** Whatever was prepared or lasts is over. */
  relieve(): void {
    this.refusing = false
    for (const link of this.#links) link.relieve()
  }

  async stop(): Promise<void> {
    for (const link of this.#links) link.end()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #connect(near: Socket, port: number): void {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const link: Link = new Link(near, far, () => this.#links.delete(link))
    this.#links.add(link)
  }
}

function refuse(near: Socket): void {
  near.on('error', () => {})
  near.once('data', () =>
    near.end(
      'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy',
    ),
  )
  near.on('end', () => near.end())
}
