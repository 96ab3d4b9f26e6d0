import { type Broker, sse } from '@sse/express'
import { createClient } from 'redis'
import { describe, expectTypeOf, it } from 'vitest'
import { type RedisBrokerOptions, redisBroker } from '../src/index.ts'

describe('redisBroker', () => {
  it('takes what createClient makes, of either protocol', () => {
    expectTypeOf(createClient()).toExtend<RedisBrokerOptions['client']>()
    expectTypeOf(createClient({ RESP: 2, url: 'redis://localhost' })).toExtend<RedisBrokerOptions['client']>()
  })

  it('is a broker of a hub', () => {
    expectTypeOf(redisBroker).returns.toEqualTypeOf<Broker>()
    expectTypeOf(sse).toBeCallableWith({ broker: redisBroker({ client: createClient() }) })
  })
})
