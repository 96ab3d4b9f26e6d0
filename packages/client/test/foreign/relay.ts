import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** The network between a client and a server, for TCP: what gets lost there comes late, or the connection breaks. */
export interface Relay extends AsyncDisposable {
  readonly origin: string
  /** How many connections there were. */
  readonly connections: number
  /** Lets nothing through any more on the connections there are, and tells neither end. */
  hush(): void
}

export interface Weather {
  /** How long a piece takes, in milliseconds. */
  readonly delay?: (() => number) | undefined
  /** How many bytes go in one piece. */
  readonly piece?: (() => number) | undefined
  /** After how many bytes a connection breaks. */
  readonly life?: (() => number) | undefined
}

export async function startRelay(target: string, weather: Weather = {}): Promise<Relay> {
  const { delay = () => 0, piece = () => 65_536, life = () => Infinity } = weather
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const hushed = new Set<Socket>()
  let connections = 0

  async function carry(upstream: Socket, client: Socket): Promise<void> {
    let left = life()
    for await (const chunk of upstream) {
      for (let rest: Buffer = chunk; rest.length > 0; ) {
        const size = Math.min(Math.max(1, piece()), left, rest.length)
        await wait(delay())
        if (!hushed.has(client)) client.write(rest.subarray(0, size))
        rest = rest.subarray(size)
        left -= size
        if (left > 0) continue
        // What was written goes out first.
        client.end(() => client.destroy())
        upstream.destroy()
        return
      }
    }
    client.end()
  }

  const server = createServer((client) => {
    connections += 1
    const upstream = connect(Number(port), hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('close', () => upstream.destroy())
    client.pipe(upstream)
    carry(upstream, client).catch(() => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${address.port}`,
    get connections() {
      return connections
    },
    hush() {
      for (const socket of sockets) hushed.add(socket)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
