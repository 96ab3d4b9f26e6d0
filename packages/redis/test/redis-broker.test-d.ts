import { type Broker, sse } from '@sse/express'
import { createClient, createCluster, createSentinel } from 'redis'
import { describe, expectTypeOf, it } from 'vitest'
import { type RedisBrokerOptions, redisBroker } from '../src/index.ts'

describe('redisBroker', () => {
  it('takes what createClient makes, of either protocol', () => {
    expectTypeOf(createClient()).toExtend<RedisBrokerOptions['client']>()
    expectTypeOf(createClient({ RESP: 2, url: 'redis://localhost' })).toExtend<RedisBrokerOptions['client']>()
  })

  it('takes what createSentinel and createCluster make', () => {
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: 'localhost', port: 26379 }] })
    expectTypeOf(sentinel).toExtend<RedisBrokerOptions['client']>()
    const cluster = createCluster({ rootNodes: [{ url: 'redis://localhost' }] })
    expectTypeOf(cluster).toExtend<RedisBrokerOptions['client']>()
  })

  it('takes nothing that cannot run scripts, or be subscribed with', () => {
    expectTypeOf<{ duplicate: () => object }>().not.toExtend<RedisBrokerOptions['client']>()
  })

  it('is a broker of a hub', () => {
    expectTypeOf(redisBroker).returns.toEqualTypeOf<Broker>()
    expectTypeOf(sse).toBeCallableWith({ broker: redisBroker({ client: createClient() }) })
  })
})
