import { connect, type Socket } from 'node:net'
import { serve, type Target } from '@sse/express/testing'
import { onTestFinished } from 'vitest'

/** A bare TCP connection: what is sent and received is exactly what stands on the wire. */
export class Wire {
  /** Everything that arrived. */
  text = ''
  /** What arrived in each read. */
  readonly chunks: string[] = []
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>
  readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.text += chunk
      this.chunks.push(chunk)
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Sends a request without a body. */
  request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    version = '1.1',
  ): void {
    const lines = Object.entries({ Host: 'test', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.send(`${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`)
  }

  /** Resolves, to everything so far, once a text has arrived so many times. */
  async until(text: string, times = 1): Promise<string> {
    while (this.text.split(text).length <= times) {
      if (this.socket.closed)
        throw new Error(`The connection ended before ${JSON.stringify(text)}: ${this.text}`)
      await new Promise<void>((resolve) => {
        const proceed = (): void => {
          this.socket.off('data', proceed).off('close', proceed)
          resolve()
        }
        this.socket.on('data', proceed).on('close', proceed)
      })
    }
    return this.text
  }
}

/** Opens a connection, which ends with the test. */
export async function dial(target: Target): Promise<Wire> {
  const { hostname, port } = new URL(await serve(target))
  const socket = connect(Number(port), hostname)
  onTestFinished(() => {
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return new Wire(socket)
}
