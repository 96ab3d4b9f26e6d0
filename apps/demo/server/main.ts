import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createServer as createVite } from 'vite'
import { app } from './app.ts'
import { hub } from './hub.ts'
import { chosenPort, host, listen } from './port.ts'

try {
  await start()
} catch (error) {
  process.stderr.write(`\n  ${error instanceof Error ? error.message : error}\n\n`)
  process.exit(1)
}

async function start(): Promise<void> {
  const port = chosenPort()
  const server = createServer(app)
  await listen(server, port)
  const vite = await createVite({
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'warn',
    // On the same server, so that there is one port.
    server: { middlewareMode: true, hmr: { server } },
  })
  app.use(vite.middlewares)

  const stop = async () => {
    await hub.close({ within: 200 })
    await vite.close()
    server.close()
    server.closeAllConnections()
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)

  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  process.stdout.write(`\n  @sse demo: http://${host}:${actual}\n\n`)
}
