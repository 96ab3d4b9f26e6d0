import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A bare Node endpoint: each request is answered as the test says. */
export interface Endpoint extends AsyncDisposable {
  readonly url: string
  /** The requests so far, oldest first. */
  readonly requests: readonly IncomingMessage[]
}

export type Answer = (req: IncomingMessage, res: ServerResponse) => void

/** Answers each request with the next of the answers; the last one stays. */
export async function serve(...answers: readonly [Answer, ...Answer[]]): Promise<Endpoint> {
  const requests: IncomingMessage[] = []
  const server = createServer((req, res) => {
    requests.push(req)
    const answer = answers[Math.min(requests.length, answers.length) - 1]
    answer?.(req, res)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/events`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** An event stream that begins with these blocks and stays open. */
export const stream =
  (...blocks: readonly string[]): Answer =>
  (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.flushHeaders()
    res.write(blocks.join(''))
  }

/** A fetch that tells what comes, before the client sees it. */
export const tap =
  (seen: (text: string) => void): typeof fetch =>
  async (...request) => {
    const response = await fetch(...request)
    const body = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        seen(Buffer.from(chunk).toString())
        controller.enqueue(chunk)
      },
    })
    return new Response(response.body?.pipeThrough(body), response)
  }
