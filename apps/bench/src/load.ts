import { connect, type Socket } from 'node:net'
import { MARK } from './peer.ts'
import { answer } from './processes.ts'

/** What the process that reads does. It counts marks, and nothing else, so that it is not what is measured. */
export interface LoadRequests {
  open: { ask: { port: number; count: number; headers?: Record<string, string> }; answer: null }
  /** Resolves when so many deliveries have arrived since the last call; fails after milliseconds. */
  await: { ask: { deliveries: number; timeout: number }; answer: { deliveries: number } }
  close: { ask: undefined; answer: null }
}

const mark = MARK.charCodeAt(0)
let sockets: Socket[] = []
let arrived = 0
let wanted = Number.POSITIVE_INFINITY
let satisfied = (): void => {}

function count(chunk: Buffer): void {
  for (let at = chunk.indexOf(mark); at !== -1; at = chunk.indexOf(mark, at + 1)) arrived += 1
  if (arrived >= wanted) satisfied()
}

function open(port: number, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(
        `GET /events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n${lines.join('')}\r\n`,
      )
    })
    socket.once('data', () => resolve())
    socket.on('data', count)
    socket.once('error', reject)
    sockets.push(socket)
  })
}

answer<LoadRequests>({
  async open({ port, count, headers = {} }) {
    // A few at a time: the backlog of the listening socket is none of what is measured.
    for (let opened = 0; opened < count; ) {
      const batch = Math.min(100, count - opened)
      await Promise.all(Array.from({ length: batch }, () => open(port, headers)))
      opened += batch
    }
    return null
  },
  async await({ deliveries, timeout }) {
    if (arrived < deliveries) {
      wanted = deliveries
      await new Promise<void>((resolve) => {
        satisfied = resolve
        setTimeout(resolve, timeout).unref()
      })
    }
    const got = arrived
    arrived -= Math.min(arrived, deliveries)
    wanted = Number.POSITIVE_INFINITY
    return { deliveries: Math.min(got, deliveries) }
  },
  async close() {
    for (const socket of sockets) socket.destroy()
    sockets = []
    arrived = 0
    return null
  },
})
