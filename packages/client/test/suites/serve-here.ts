import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAnswering } from './answering.ts'
import type { Serve } from './endpoint.ts'

/** Endpoints in the process of the test. */
export const serveHere: Serve = async (...answers) => {
  const answering = createAnswering(answers)
  const server = createServer(answering.listener)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/events`,
    seen: async () => answering.seen(),
    cut: async () => answering.cut(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
