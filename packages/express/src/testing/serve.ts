import { createServer, type RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a test connects to: an app (or any request listener), a server, or the origin of a running one. */
export type Target = RequestListener | Server | string

/** Servers that are starting, since many streams may be opened at once. */
const starting = new WeakMap<Server, Promise<void>>()

const servers = new WeakMap<RequestListener, Server>()

/** The origin of a target; the first call with an app starts a server for it on a free port. */
export async function serve(target: Target): Promise<string> {
  if (typeof target === 'string') return target
  const server = target instanceof Server ? target : serverOf(target)
  if (!server.listening) await (starting.get(server) ?? start(server))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Closes the server that {@link serve} started for an app, with all of its connections. */
export async function stopServing(app: RequestListener): Promise<void> {
  const server = servers.get(app)
  if (server === undefined) return
  servers.delete(app)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

function start(server: Server): Promise<void> {
  const started = new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  }).finally(() => starting.delete(server))
  starting.set(server, started)
  return started
}

function serverOf(app: RequestListener): Server {
  const server = servers.get(app) ?? createServer(app).unref()
  servers.set(app, server)
  return server
}
