import { brokerSuite } from '@sse/express/broker-suite'
import { describe, it } from 'vitest'
import { memoryBroker } from '../src/index.ts'

describe('memoryBroker', () => {
  for (const { name, run } of brokerSuite) it(name, () => run(() => memoryBroker()))
})
