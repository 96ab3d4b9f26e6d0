import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createServer, type ViteDevServer } from 'vite'

/**
 * Serves the page from its sources.
 *
 * @param server - whose port it shares
 * @param cacheDir - where Vite keeps what it has prepared, which no two may share
 */
export function createPage(server: Server, cacheDir = 'node_modules/.vite'): Promise<ViteDevServer> {
  return createServer({
    root: fileURLToPath(new URL('..', import.meta.url)),
    cacheDir,
    logLevel: 'warn',
    // On the same server, so that there is one port.
    server: { middlewareMode: true, hmr: { server } },
  })
}
