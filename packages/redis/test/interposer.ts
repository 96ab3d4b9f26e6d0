import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** The connection of a client, and the one to Redis. */
type Link = readonly [near: Socket, far: Socket]

/** What stands between a server and Redis, and may fail. */
export class Interposer {
  readonly port: number
  /** Where new connections lead. */
  target: number
  /** Whether new connections are cut at once. */
  refusing = false
  readonly #server: Server
  readonly #subscribing = new WeakSet<Socket>()
  readonly #links = new Set<Link>()

  private constructor(server: Server, target: number) {
    this.#server = server
    this.target = target
    this.port = (server.address() as AddressInfo).port
  }

  static async start(target: number): Promise<Interposer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new Interposer(server, target)
    server.on('connection', (near) => proxy.#link(near, connect(proxy.target, '127.0.0.1')))
    return proxy
  }

  /** Lets the next call through, throws its reply away, and cuts its connection. */
  loseNextReply(): Promise<void> {
    return new Promise((resolve) => {
      for (const [near, far] of this.#links) {
        far.removeAllListeners('data')
        far.once('data', () => {
          near.destroy()
          resolve()
        })
      }
    })
  }

  /** Throws away what Redis says on the connections that subscribe, and keeps these open. */
  muteSubscription(): void {
    for (const [near, far] of this.#links) {
      if (this.#subscribing.has(near)) far.removeAllListeners('data').resume()
    }
  }

  /** Holds back what Redis says on the connections that subscribe, until the returned function is called. */
  holdSubscription(): () => void {
    return hold([...this.#links].filter(([near]) => this.#subscribing.has(near)))
  }

  /** Holds back what Redis says on the other ones. */
  holdCalls(): () => void {
    return hold(this.#calling())
  }

  /** Cuts the connections that do not subscribe. */
  cutCalls(): void {
    for (const [near] of this.#calling()) near.destroy()
  }

  /** Cuts all connections; new ones are welcome. */
  cut(): void {
    for (const [near] of this.#links) near.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #calling(): readonly Link[] {
    return [...this.#links].filter(([near]) => !this.#subscribing.has(near))
  }

  #link(near: Socket, far: Socket): void {
    if (this.refusing) near.destroy()
    const link = [near, far] as const
    this.#links.add(link)
    near.on('data', (chunk) => {
      if (/subscribe/i.test(chunk.toString())) this.#subscribing.add(near)
      far.write(chunk)
    })
    far.on('data', (chunk) => near.write(chunk))
    const end = (): void => {
      this.#links.delete(link)
      near.destroy()
      far.destroy()
    }
    for (const socket of link) socket.on('close', end).on('error', () => {})
  }
}

function hold(links: readonly Link[]): () => void {
  for (const [, far] of links) far.pause()
  return () => {
    for (const [, far] of links) far.resume()
  }
}
