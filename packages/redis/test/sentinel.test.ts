import { brokerSuite } from '@sse/express/broker-suite'
import { missing } from '@sse/test-redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { redisBroker } from '../src/index.ts'
import { kindsOf, newsOf, startTwo, until } from './cluster.ts'
import { SentinelSet } from './sentinel-set.ts'

describe.skipIf(missing)('with a client of createSentinel', { timeout: 60_000 }, () => {
  describe('redisBroker', () => {
    let set: SentinelSet
    let client: Awaited<ReturnType<SentinelSet['connect']>>
    let count = 0

    beforeAll(async () => {
      set = await SentinelSet.start()
      client = await set.connect()
    }, 60_000)
    afterAll(async () => {
      await client.destroy()
      await set.remove()
    })

    for (const { name, run } of brokerSuite) {
      it(name, () => run(() => redisBroker({ client, prefix: `suite-${++count}` })))
    }
  })

  describe('when the primary fails', () => {
    async function start() {
      const set = await SentinelSet.start()
      onTestFinished(() => set.remove())
      return { set, ...(await startTwo(() => set.connect())) }
    }

    it('all go on with its replica: in order, once, and nobody is told', async () => {
      const { a, b, set, streams } = await start()
      await set.inSync()
      await set.primary.kill()
      await Promise.all([a.publish('news', 3), a.publish('news', 4)])
      await b.publish('news', 5)
      for (const stream of streams) {
        await until(() => newsOf(stream).length === 5)
        expect(kindsOf(stream)).toEqual(['news', 'news', 'news', 'news', 'news'])
        expect(newsOf(stream)).toEqual([1, 2, 3, 4, 5])
      }
    })

    it('and its replica lacks events: every reader is told once, and goes on', async () => {
      const { a, b, set, streams } = await start()
      await set.inSync()
      set.replica.pause()
      await set.primary.command('CLIENT', 'KILL', 'TYPE', 'replica')
      await a.publish('news', 3)
      for (const stream of streams) await until(() => newsOf(stream).length === 3)
      await set.primary.kill()
      set.replica.resume()
      for (const stream of streams) {
        expect((await stream.next('sse.gap')).json).toEqual({ channels: ['news', 'quiet'], reason: 'epoch' })
      }
      await b.publish('news', 4)
      for (const stream of streams) {
        await until(() => newsOf(stream).at(-1) === 4)
        expect(kindsOf(stream)).toEqual(['news', 'news', 'news', 'sse.gap', 'news'])
      }
    })

    it('only by its Sentinel’s word, and lives on: in order, once, or announced', async () => {
      const { a, b, set, streams } = await start()
      let over = false
      const acknowledged: number[] = [1, 2]
      const publishing = (async () => {
        for (let n = 3; !over; n++) {
          await (n % 2 === 0 ? a : b).publish('news', n)
          acknowledged.push(n)
        }
      })()
      await set.command('SENTINEL', 'FAILOVER', 'main')
      await set.failedOver()
      const count = acknowledged.length
      await until(() => acknowledged.length > count + 20)
      over = true
      await publishing
      for (const stream of streams) {
        await until(() => newsOf(stream).at(-1) === acknowledged.at(-1))
        const news = newsOf(stream)
        if (!kindsOf(stream).includes('sse.gap')) expect(news).toEqual(acknowledged)
        expect(news).toEqual([...new Set(news)].toSorted((x, y) => Number(x) - Number(y)))
      }
    })
  })
})
