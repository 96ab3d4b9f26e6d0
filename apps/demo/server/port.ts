import { createServer, type Server } from 'node:http'

/** Where the server listens, as `HOST` and `PORT` say. */
export const host = process.env.HOST ?? 'localhost'

/**
 * The port in `PORT`.
 *
 * @throws Error if it is none
 */
export function chosenPort(): number {
  const port = Number(process.env.PORT || 3000)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new Error(`PORT=${process.env.PORT} is no port. Choose one from 1 to 65535: PORT=3001 pnpm dev`)
}

/** Listens, or says what to do. */
export async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} is taken. Choose another one: PORT=${port + 1} pnpm dev`)
          : error,
      ),
    )
    server.listen(port, host, resolve)
  })
}

/** Finds out whether the port can be had, before anything is started on it. */
export async function tryPort(port: number): Promise<void> {
  const server = createServer()
  await listen(server, port)
  await new Promise((resolve) => server.close(resolve))
}
