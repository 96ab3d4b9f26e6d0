import { brokerSuite } from '@sse/express/broker-suite'
import { type Client, missing, RedisServer } from '@sse/test-redis'
import { createClientPool, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisBroker } from '../src/index.ts'

const RETENTION = { length: 9, bytes: 9_999, age: 9_999 }

describe.skipIf(missing)('redisBroker', () => {
  let server: RedisServer
  let client: Client
  let count = 0

  beforeAll(async () => {
    server = await RedisServer.start()
    client = await server.connect()
  })

  afterAll(async () => {
    client.destroy()
    await server.remove()
  })

  for (const { name, run } of brokerSuite) {
    it(name, () => run(() => redisBroker({ client, prefix: `suite-${++count}` })))
  }

  it('makes sense of a client that answers with buffers', async () => {
    const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String } }
    const broker = redisBroker({ client: client.withCommandOptions(options), prefix: 'buffers' })
    await broker.publish('a', { kind: 'event', event: 'news', data: '1', key: undefined }, RETENTION)
    const { histories } = await broker.read(['a'], undefined)
    expect(histories.get('a')?.length).toBe(1)
    await broker.close()
  })

  it.each(['linger', 'publishTimeout', 'beacon'])(
    'refuses a time of which a timer makes none: %s',
    (name) => {
      for (const value of [1, 1e12, Number.NaN]) {
        expect(() => redisBroker({ client, [name]: value })).toThrow(
          `${name} must be a number of milliseconds`,
        )
      }
    },
  )

  it('refuses an option that there is not, and a client that is none', () => {
    expect(() => redisBroker({ client, prefx: 'a' } as never)).toThrow(/There is no option prefx: .*prefix/)
    expect(() => redisBroker({} as never)).toThrow(/createClient\(\)/)
    expect(() => redisBroker({ client: 'redis://127.0.0.1' } as never)).toThrow(/createClient\(\)/)
    expect(() => redisBroker({ client: createClientPool() } as never)).toThrow(/a pool cannot subscribe/)
  })
})
