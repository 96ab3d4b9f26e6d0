import { formatCursor } from '@sse/express'
import { brokerSuite } from '@sse/express/broker-suite'
import { missing, type RedisServer } from '@sse/test-redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createPublisher, redisBroker } from '../src/index.ts'
import { kindsOf, newsOf, Server, startTwo, until } from './cluster.ts'
import { RedisCluster } from './redis-cluster.ts'

describe.skipIf(missing)('with a client of createCluster', { timeout: 60_000 }, () => {
  describe('redisBroker', () => {
    let cluster: RedisCluster
    let client: Awaited<ReturnType<RedisCluster['connect']>>
    let count = 0

    beforeAll(async () => {
      cluster = await RedisCluster.start()
      client = await cluster.connect()
    }, 60_000)
    afterAll(async () => {
      client.destroy()
      await cluster.remove()
    })

    for (const { name, run } of brokerSuite) {
      it(name, () => run(() => redisBroker({ client, prefix: `suite-${++count}` })))
    }

    it('takes what a worker publishes', async () => {
      const publisher = createPublisher<{ news: number }>({ client, prefix: 'worker' })
      const id = await publisher.channel('a').publish('news', 1)
      await publisher.close()
      const broker = redisBroker({ client, prefix: 'worker' })
      const { epoch, head } = await broker.read([], undefined)
      expect(formatCursor(epoch, head)).toBe(id)
      await broker.close()
    })

    it('keeps all of a hub on one node, and spreads hubs over the nodes', async () => {
      const retention = { length: 2, bytes: 1_000_000, age: 3_600_000 }
      const prefixes = Array.from({ length: 20 }, (_, n) => `hub-${n}`)
      for (const prefix of prefixes) {
        const broker = redisBroker({ client, prefix })
        for (const key of [undefined, 'k', 'l', undefined, undefined]) {
          await broker.publish('a', { kind: 'event', event: 'news', data: '1', key }, retention)
        }
        await broker.publish('b', { kind: 'end', reason: 'done' }, retention)
        await broker.close()
      }
      const keys = await Promise.all(
        cluster.nodes.map(async (node) => {
          const found = await node.command('KEYS', '{hub-*')
          return Array.isArray(found) ? found.map(String) : []
        }),
      )
      expect(keys.filter((found) => found.length > 0).length).toBeGreaterThan(1)
      for (const prefix of prefixes) {
        expect(keys.filter((found) => found.some((key) => key.startsWith(`{${prefix}}:`)))).toHaveLength(1)
      }
    })
  })

  describe('when the node of a hub', () => {
    async function start() {
      const cluster = await RedisCluster.start()
      onTestFinished(() => cluster.remove())
      return { cluster, ...(await startTwo(() => cluster.connect())) }
    }

    it('is killed, all go on with its replica: in order, once, and nobody is told', async () => {
      const { a, b, cluster, streams } = await start()
      await cluster.inSync()
      await cluster.home.kill()
      await Promise.all([a.publish('news', 3), a.publish('news', 4)])
      await b.publish('news', 5)
      for (const stream of streams) {
        await until(() => newsOf(stream).length === 5)
        expect(newsOf(stream)).toEqual([1, 2, 3, 4, 5])
        expect(kindsOf(stream)).not.toContain('sse.gap')
      }
    })

    it('becomes a replica, and lives on, all go on with the new one: in order, and once', async () => {
      const { a, b, cluster, streams } = await start()
      const { acknowledged, stop } = keepPublishing(a, b)
      await cluster.replica.command('CLUSTER', 'FAILOVER')
      await until(async () => /role:slave/.test(String(await cluster.home.command('INFO', 'replication'))))
      await stop()
      for (const stream of streams) {
        await until(() => newsOf(stream).at(-1) === acknowledged.at(-1))
        expect(newsOf(stream)).toEqual(acknowledged)
        expect(kindsOf(stream)).not.toContain('sse.gap')
      }
      await until(async () => (await listeners(cluster.home)) === 0)
      expect(await listeners(cluster.replica)).toBe(2)
    })

    it('hands over the hub’s slot, all follow it: in order, once, and nobody is told', async () => {
      const { a, b, cluster, streams } = await start()
      const target = cluster.nodes.find((node) => node !== cluster.home) ?? cluster.home
      const { acknowledged, stop } = keepPublishing(a, b)
      await cluster.beginToMove(target)
      await cluster.endMove(target)
      await stop()
      for (const stream of streams) {
        await until(() => newsOf(stream).at(-1) === acknowledged.at(-1))
        expect(newsOf(stream)).toEqual(acknowledged)
        expect(kindsOf(stream)).not.toContain('sse.gap')
      }
      await until(async () => (await listeners(cluster.home)) === 0)
      expect(await listeners(target)).toBe(2)
    })

    it.each([
      ['the figures of the log first', /:meta$|:minutes$/],
      ['all but the logs of the channels first', /:meta$|:minutes$|:once:|:channel:/],
    ])('hands its keys over one by one, %s, nothing is missing without a word', async (_, early) => {
      const cluster = await RedisCluster.start()
      onTestFinished(() => cluster.remove())
      const server = Server.over(await cluster.connect(), { publishTimeout: 2_000 })
      onTestFinished(() => server.stop())
      const quiet = await server.stream(['quiet'])
      const id = await server.publish('news', 1)
      await server.publish('news', 2)
      await server.publish('quiet', 3)
      await quiet.next('news')
      const target = cluster.nodes.find((node) => node !== cluster.home) ?? cluster.home
      await cluster.beginToMove(target)
      await cluster.move(target, early)
      const back = await server.stream(['news'], id)
      const published = await server.publish('news', 4).then(
        () => [4],
        () => [],
      )
      await cluster.endMove(target)
      await server.publish('news', 5)
      const late = await server.stream(['news'], id)
      expect(late.status).toBe(200)
      for (const stream of [back, late].filter(({ status }) => status === 200)) {
        await until(() => newsOf(stream).at(-1) === 5)
        expect(newsOf(stream)).toEqual([2, ...published, 5])
      }
    })

    it('breaks off in the midst of a call, nothing of it is stored', async () => {
      const { a, b, cluster, streams } = await start()
      await b.publish('quiet', 3)
      const target = cluster.nodes.find((node) => node !== cluster.home) ?? cluster.home
      await cluster.beginToMove(target)
      // The second one is of a channel that is not there, and might be at the other node already.
      const broken = await Promise.allSettled([a.publish('news', 4), a.publish('new', 5)])
      expect(broken.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      await b.publish('quiet', 6)
      await cluster.endMove(target)
      await a.publish('new', 7)
      await a.publish('news', 8)
      for (const stream of streams) {
        await until(() => newsOf(stream).at(-1) === 8)
        expect(newsOf(stream)).toEqual([1, 2, 3, 6, 8])
        const ids = stream.all().flatMap(({ event, id }) => (event === 'news' ? id : []))
        expect(new Set(ids).size).toBe(5)
      }
    })
  })
})

/** How many connections subscribe on a node. */
const listeners = async (node: RedisServer): Promise<number> =>
  String(await node.command('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    .split('\n')
    .filter((line) => line !== '').length

/** Publishes the news 3, 4, … at two servers in turn, each when the one before is acknowledged. */
function keepPublishing(a: Server, b: Server) {
  const acknowledged = [1, 2]
  let over = false
  const publishing = (async () => {
    for (let n = 3; !over; n++) {
      await (n % 2 === 0 ? a : b).publish('news', n)
      acknowledged.push(n)
    }
  })()
  /** Ends it once more than twenty others are acknowledged. */
  async function stop(): Promise<void> {
    const count = acknowledged.length
    await until(() => acknowledged.length > count + 20)
    over = true
    await publishing
  }
  return { acknowledged, stop }
}
