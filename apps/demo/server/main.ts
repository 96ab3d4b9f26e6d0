import { createServer } from 'node:http'
import { createApp } from './app.ts'
import { memoryCommons } from './commons.ts'
import { createHub } from './hub.ts'
import { createPage } from './page.ts'
import { addressOf, chosenPort, listen } from './port.ts'

try {
  await start()
} catch (error) {
  process.stderr.write(`\n  ${error instanceof Error ? error.message : error}\n\n`)
  process.exit(1)
}

async function start(): Promise<void> {
  const hub = createHub()
  const app = await createApp(hub, memoryCommons())
  const server = createServer(app)
  await listen(server, chosenPort())
  const page = await createPage(server)
  app.use(page.middlewares)

  const stop = async () => {
    await hub.close({ within: 200 })
    await page.close()
    server.close()
    server.closeAllConnections()
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)

  process.stdout.write(`\n  @sse demo: ${addressOf(server)}\n\n`)
}
