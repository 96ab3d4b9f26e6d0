/** One way to push events to many readers, running in a process of its own. */
export interface Peer {
  readonly port: number
  /** Sends one event to every reader, or to one user's: those that requested `/events?user=…`. */
  publish(payload: Payload, user?: number): void
  /** The id with which a reader resumes to get everything that is published from now on. */
  cursor?(): Promise<string>
  /** What the server has used, if it runs in a process other than this one. */
  usage?(): Usage
  /** Resolves when the server has received all that was published, if it runs in a process other than this one. */
  settled?(): Promise<void>
}

/** How many events a peer with replay keeps at least. */
export const KEPT = 10_000

/** What a process has used so far. */
export interface Usage {
  readonly cpuMicroseconds: number
  /** Resident bytes. */
  readonly rss: number
  /** Bytes of the heap and of buffers, which show small differences better than RSS; the RSS if the server is not Node. */
  readonly held: number
}

/** What every peer sends, serialised by each in its own way. */
export interface Payload {
  /** Filler, then the time when the event was due, then the mark by which the load counts deliveries. */
  readonly text: string
}

/** @param redis - the url of a Redis, for peers that need one */
export type StartPeer = (redis: string) => Promise<Peer>

/** A character that occurs once in every event, and nowhere else in what any peer sends. */
export const MARK = '|'

/** Digits of a time in microseconds, just before the mark. */
export const STAMP = 16

/** The time in microseconds, by a clock that all processes of a machine share. */
export const clock = (): number => Number(process.hrtime.bigint() / 1000n)

/** @param due - when the event was due, by {@link clock} */
export const payloadOf = (bytes: number, due: number): Payload => ({
  text: 'x'.repeat(bytes - STAMP - MARK.length) + String(due).padStart(STAMP, '0') + MARK,
})

/** An event in the wire format, for peers without a library of their own. */
export const blockOf = (payload: Payload): string => `event: news\ndata: ${JSON.stringify(payload)}\n\n`

export const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  Connection: 'keep-alive',
}

/** The user that a request names. */
export function userOf(url = ''): number | undefined {
  const user = url.split('user=')[1]
  return user === undefined ? undefined : Number.parseInt(user, 10)
}

/** Resolves to the port once a server listens. */
export async function listening(server: {
  listen(options: { port: number; host: string; backlog: number }, listening: () => void): unknown
  address(): unknown
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  return portOf(server.address())
}

export function portOf(address: unknown): number {
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port)
  throw new Error('The server has no port.')
}
