import { missing, RedisServer } from '@sse/test-redis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inSync, kindsOf, newsOf, Server, type ServerOptions, until } from './cluster.ts'
import { Interposer } from './interposer.ts'

describe.skipIf(missing)('a replica that is promoted while its primary lives on', () => {
  const cleanup: (() => Promise<void>)[] = []
  let former: RedisServer
  let promoted: RedisServer
  let address: Interposer
  /** Finds its Redis by an address that moves; what it has subscribed stays where it is. */
  let follower: Server
  /** Does not follow. */
  let stray: Server

  async function serve(redis: RedisServer): Promise<Server> {
    const started = await Server.start(redis)
    cleanup.push(() => started.stop())
    return started
  }

  beforeEach(async () => {
    former = await RedisServer.start('--repl-diskless-sync-delay', '0')
    cleanup.push(() => former.remove())
    promoted = await RedisServer.start('--replicaof', '127.0.0.1', String(former.port))
    cleanup.push(() => promoted.remove())
    address = await Interposer.start(former.port)
    cleanup.push(() => address.stop())
    stray = await serve(former)
  })
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean()
  })

  /** A stream of the follower that has had the news 1 and 2; the promotion is done, and its calls go there. */
  async function promote(options: ServerOptions, meanwhile: () => void = () => {}) {
    const client = await former.connect(address.port)
    follower = Server.over(client, options)
    cleanup.push(() => follower.stop())
    const stream = await follower.stream(['news'])
    await stream.next('sse.live')
    await stray.publish('news', 1)
    await stray.publish('news', 2)
    await until(() => newsOf(stream).length === 2)
    await inSync(former, promoted)
    await promoted.command('REPLICAOF', 'NO', 'ONE')
    meanwhile()
    address.target = promoted.port
    address.cutCalls()
    await until(async () => (await client.ping().catch(() => '')) === 'PONG')
    return { stream, other: await serve(promoted) }
  }

  it('is followed by whoever it answers, and what the former one says then is not taken for the log', async () => {
    // Nobody asks by himself.
    const { other, stream } = await promote({ beacon: 60_000 })
    await other.publish('news', 3)
    await follower.publish('elsewhere', 0)
    await stray.publish('news', -3)
    await stray.publish('news', -4)
    await other.publish('news', 4)
    await until(() => newsOf(stream).at(-1) === 4)
    expect(newsOf(stream)).toEqual([1, 2, 3, 4])
    expect(kindsOf(stream)).not.toContain('sse.gap')
  })

  it('is told what was heard of the former one while it answered: readers learn that this is lost', async () => {
    const { other, stream } = await promote({ beacon: 60_000 })
    const witness = await other.stream(['elsewhere'])
    await witness.next('sse.live')
    // This Redis knows the script from now on: one call is enough.
    await other.publish('news', 3)
    const release = address.holdCalls()
    const published = follower.publish('elsewhere', 0)
    await until(() => newsOf(witness).length === 1)
    await stray.publish('news', -3)
    await until(() => newsOf(stream).length === 3)
    release()
    await published
    expect((await stream.next('sse.gap')).json).toEqual({ channels: ['news'], reason: 'epoch' })
    await other.publish('news', 4)
    await until(() => newsOf(stream).at(-1) === 4)
    expect(newsOf(stream)).toEqual([1, 2, -3, 4])
    expect(kindsOf(stream)).toEqual(['news', 'news', 'news', 'sse.gap', 'news'])
  })

  it('has not heard what a reader brings along whose server died with the former one: he is told', async () => {
    const left = await stray.stream(['news'])
    await stray.publish('news', 1)
    await left.next('news')
    await inSync(former, promoted)
    await promoted.command('REPLICAOF', 'NO', 'ONE')
    for (const n of [-2, -3, -4]) {
      await stray.publish('news', n)
      await left.next('news')
    }
    const ids = left.all().flatMap(({ event, id }) => (event === 'news' ? [id] : []))
    await Promise.all([stray.stop(), former.kill()])
    const other = await serve(promoted)
    for (const n of [2, 3]) await other.publish('news', n)
    // From what is read, and from what is there.
    for (const id of [ids[2], ids[1]]) {
      const back = await other.stream(['news'], id)
      expect((await back.next('sse.gap')).json).toEqual({ channels: ['news'], reason: 'unknown' })
      await back.next('sse.live')
      expect(newsOf(back)).toEqual([1, 2, 3])
    }
    const witness = await other.stream(['news'], ids[0])
    await witness.next('sse.live')
    expect(newsOf(witness)).toEqual([2, 3])
    expect(kindsOf(witness)).not.toContain('sse.gap')
  })

  it('is found out though the former one never falls silent, and nobody publishes here', async () => {
    let over = false
    let speaking: Promise<void> | undefined
    const { other, stream } = await promote({ beacon: 100 }, () => {
      speaking = (async () => {
        for (let n = 3; !over; n++) await stray.publish('news', -n)
      })()
    })
    expect((await stream.next('sse.gap')).json).toEqual({ channels: ['news'], reason: 'epoch' })
    await other.publish('news', 3)
    await until(() => newsOf(stream).at(-1) === 3)
    over = true
    await speaking
    expect(kindsOf(stream).filter((kind) => kind === 'sse.gap')).toHaveLength(1)
  })
})
