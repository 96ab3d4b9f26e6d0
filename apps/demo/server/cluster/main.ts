import { createServer } from 'node:http'
import { createPublisher } from '@sse/redis'
import express from 'express'
import { events } from '../../shared/events.ts'
import { kill } from '../../shared/requests.ts'
import { paths } from '../app.ts'
import { CLUSTER } from '../hub.ts'
import { createPage } from '../page.ts'
import { addressOf, chosenPort, listen, tryPort } from '../port.ts'
import { refuse } from '../refusal.ts'
import { createBalancer } from './balancer.ts'
import { Fleet } from './fleet.ts'
import { connectRedis } from './redis-client.ts'
import { keepRedis } from './redis-server.ts'
import { startTicker } from './ticker.ts'

const COMMAND = 'pnpm dev:cluster'

/** What ends all that was started, in the order of the start. */
const ends: (() => unknown)[] = []
let stopping = false

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0))
try {
  await start()
} catch (error) {
  // What is being stopped may well fail to start.
  if (!stopping) process.stderr.write(`\n  ${error instanceof Error ? error.message : error}\n\n`)
  await stop(1)
}

async function start(): Promise<void> {
  const port = chosenPort(COMMAND)
  await tryPort(port, COMMAND)

  const redis = await keepRedis(say)
  ends.push(() => redis.stop())
  const redisUrl = await redis.start()
  const client = await connectRedis(redisUrl)
  ends.push(() => client.destroy())
  const publisher = createPublisher({ client, events })
  ends.push(() => publisher.close())

  const app = express().disable('x-powered-by')
  const server = createServer(app)
  const page = await createPage(server, 'node_modules/.vite-cluster')
  ends.push(async () => {
    await page.close()
    server.close()
    server.closeAllConnections()
  })

  const fleet = new Fleet(redisUrl, (words) => {
    say(words)
    tellFleet()
  })
  ends.push(() => fleet.stop())
  await fleet.start()
  tellFleet()
  // A Redis that has started again knows nothing.
  client.on('ready', tellFleet)
  ends.push(startTicker(publisher))

  app
    .post('/kill', express.json({ limit: '4kb' }), async (request, response) => {
      await fleet.kill(kill.parse(request.body).server)
      response.sendStatus(202)
    })
    .all(
      paths,
      createBalancer(() => fleet.ports),
    )
    .use(page.middlewares)
    .use(refuse)
  await listen(server, port, COMMAND)
  say(`\n  @sse demo on ${fleet.roll.length} servers: ${addressOf(server)}\n  Their Redis: ${redisUrl}\n`)

  function tellFleet(): void {
    void publisher.channel(CLUSTER).publish('fleet', { servers: fleet.roll, at: Date.now() })
  }
}

async function stop(code: number): Promise<void> {
  if (stopping) return
  stopping = true
  for (const end of ends.reverse()) await end()
  process.exit(code)
}

function say(words: string): void {
  process.stdout.write(`${words}\n`)
}
