import { createServer, type Server } from 'node:http'

/** Where the server listens, as `HOST` and `PORT` say. */
const host = process.env.HOST ?? 'localhost'

/**
 * The port in `PORT`.
 *
 * @param command - with what the demo was started, for the remedy
 * @throws Error if it is none
 */
export function chosenPort(command = 'pnpm dev'): number {
  const port = Number(process.env.PORT || 3000)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new Error(`PORT=${process.env.PORT} is no port. Choose one from 1 to 65535: PORT=3001 ${command}`)
}

/** Listens, or says what to do. */
export async function listen(server: Server, port: number, command = 'pnpm dev'): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} is taken. Choose another one: PORT=${port + 1} ${command}`)
          : error,
      ),
    )
    server.listen(port, host, resolve)
  })
}

/** Finds out whether the port can be had, before anything is started on it. */
export async function tryPort(port: number, command = 'pnpm dev'): Promise<void> {
  const server = createServer()
  await listen(server, port, command)
  await new Promise((resolve) => server.close(resolve))
}

/** The url of a server that listens. */
export function addressOf(server: Server): string {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The server does not listen.')
  return `http://${host}:${address.port}`
}
