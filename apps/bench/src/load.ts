import { connect, type Socket } from 'node:net'
import { clock, MARK, STAMP } from './peer.ts'
import { answer } from './processes.ts'

/** What the reading process can be asked. It counts marks and does little else, so that it is not the bottleneck. */
export interface LoadRequests {
  /** Opens readers, and resolves when each has its first bytes. */
  open: { ask: Readers; answer: null }
  /**
   * Opens readers and waits for their deliveries. Measures the milliseconds from the first connect to the last delivery,
   * without the messages between the processes of the bench.
   */
  resume: {
    ask: Readers & { readonly deliveries: number; readonly timeout: number }
    answer: { readonly deliveries: number; readonly milliseconds: number }
  }
  /** Writes the same text to every connection. */
  say: { ask: { text: string }; answer: null }
  /** Resolves when this many deliveries have arrived since the last call, or after the timeout, in milliseconds. */
  await: { ask: { deliveries: number; timeout: number }; answer: { deliveries: number } }
  /** What was read since the last call: bytes, and how late events arrived after they were due, in milliseconds. */
  taken: { ask: undefined; answer: Taken }
  /** Closes every connection. */
  leave: { ask: undefined; answer: null }
}

export interface Readers {
  readonly port: number
  readonly count: number
  /** What each of them sends first; `{user}` stands for its number. */
  readonly request: string
  /** They stop reading after their first bytes. @defaultValue false */
  readonly stalled?: boolean
  /** Measures the latency at every n-th reader; 0: at none. @defaultValue 1 */
  readonly every?: number
}

export interface Taken {
  readonly bytes: number
  readonly p50: number
  readonly p99: number
  readonly cpuMicroseconds: number
}

/** How many connections are opened at a time. */
const OPENING = 100

const mark = MARK.charCodeAt(0)
/** Shared by all sockets: each read is processed before the next. */
const buffer = Buffer.allocUnsafe(256 * 1024)
let sockets: Socket[] = []
let arrived = 0
let bytes = 0
let lateness: number[] = []
let wanted = Number.POSITIVE_INFINITY
let satisfied = (): void => {}

function count(size: number, measured: boolean): void {
  const chunk = buffer.subarray(0, size)
  const now = measured ? clock() : 0
  bytes += size
  for (let at = chunk.indexOf(mark); at !== -1; at = chunk.indexOf(mark, at + 1)) {
    arrived += 1
    // A time stamp that is split between two reads is not sampled.
    if (measured && at >= STAMP) lateness.push(now - Number(chunk.toString('latin1', at - STAMP, at)))
  }
  if (arrived >= wanted) satisfied()
}

function open({ port, request, stalled = false, every = 1 }: Readers, number: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const measured = number % every === 0
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer,
        callback(size) {
          resolve()
          if (!stalled) count(size, measured)
          return !stalled
        },
      },
    })
    socket.on('error', reject)
    socket.once('connect', () => socket.write(request.replace('{user}', String(number))))
    socket.once('close', () => reject(new Error('the server closed the connection of a reader')))
    sockets.push(socket)
  })
}

const percentile = (sorted: Float64Array, share: number): number =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) / 1000

async function openAll(readers: Readers): Promise<void> {
  let next = sockets.length
  const end = next + readers.count
  const opener = async (): Promise<void> => {
    while (next < end) await open(readers, next++)
  }
  await Promise.all(Array.from({ length: OPENING }, opener))
}

/** Resolves to how many deliveries have arrived: fewer than asked for only if the time was up. */
async function arrival(deliveries: number, timeout: number): Promise<number> {
  if (arrived < deliveries) {
    wanted = deliveries
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      satisfied = resolve
      timer = setTimeout(resolve, timeout)
    })
    clearTimeout(timer)
    wanted = Number.POSITIVE_INFINITY
  }
  const got = Math.min(arrived, deliveries)
  arrived -= got
  return got
}

answer<LoadRequests>({
  async open(readers) {
    await openAll(readers)
    return null
  },
  async resume({ deliveries, timeout, ...readers }) {
    const start = performance.now()
    await openAll(readers)
    const got = await arrival(deliveries, timeout)
    return { deliveries: got, milliseconds: performance.now() - start }
  },
  async say({ text }) {
    // As bytes: the text may be a WebSocket frame.
    for (const socket of sockets) socket.write(text, 'latin1')
    return null
  },
  async await({ deliveries, timeout }) {
    return { deliveries: await arrival(deliveries, timeout) }
  },
  leave() {
    for (const socket of sockets) socket.destroy()
    sockets = []
    arrived = 0
    return null
  },
  taken() {
    const { system, user } = process.cpuUsage()
    const sorted = Float64Array.from(lateness).sort()
    const taken = { bytes, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
    bytes = 0
    lateness = []
    return { ...taken, cpuMicroseconds: user + system }
  },
})
