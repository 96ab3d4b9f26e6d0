/** One way to push events to many readers, running in a process of its own. */
export interface Peer {
  readonly port: number
  /** Sends one event to every reader. */
  publish(payload: Payload): void
}

/** What every peer sends, serialised by each in its own way. */
export interface Payload {
  /** Ends in the mark by which the load counts deliveries. */
  readonly text: string
}

export type StartPeer = () => Promise<Peer>

/** A character that stands once in every event, and nowhere else on any peer's wire. */
export const MARK = '~'

export const payloadOf = (bytes: number): Payload => ({ text: 'x'.repeat(bytes - 1) + MARK })

export const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  Connection: 'keep-alive',
}

/** Resolves to the port once a server listens. */
export async function listening(server: {
  listen(port: number, host: string, listening: () => void): unknown
  address(): unknown
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port)
  throw new Error('The server has no port.')
}
