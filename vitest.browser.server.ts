import { createServer, type RequestListener } from 'node:http'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server that the tests talk to, which is another one than the page's. */
    readonly origin: string
  }
}

/** Serves the tests in a browser. @returns what ends it */
export async function serveBrowser(
  { config }: TestProject,
  listener: RequestListener,
): Promise<() => Promise<void>> {
  const server = createServer(listener)
  const { port, hostname } = new URL(config.provide.origin ?? '')
  const first = await new Promise<boolean>((listening, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      // vitest sets up once more for the browser's own project.
      error.code === 'EADDRINUSE' ? listening(false) : failed(error),
    )
    server.listen(Number(port), hostname, () => listening(true))
  })
  return async () => {
    if (!first) return
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
}
