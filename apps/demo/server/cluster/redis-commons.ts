import { z } from 'zod'
import type { ServerName } from '../../shared/servers.ts'
import { visitor, visitorName } from '../../shared/visitor.ts'
import type { Commons, Roll } from '../commons.ts'
import type { RedisClient } from './redis-client.ts'

const COUNTER = 'demo:counter'
const ROLLS = 'demo:rolls'
const exileKey = (id: string): string => `demo:exile:${id}`

const counterFields = z.object({
  value: z.coerce.number().default(0),
  by: visitorName.nullable().default(null),
})

const roll: z.ZodType<Roll> = z.object({
  here: z.array(visitor),
  left: z.array(z.object({ name: visitorName, until: z.number() })),
})

/** The commons of several servers, in Redis. */
export function redisCommons(client: RedisClient, server: ServerName): Commons {
  const counter = async () => counterFields.parse({ ...(await client.hGetAll(COUNTER)) })

  return {
    counter,
    async count(by, from) {
      const [value] = await client.multi().hIncrBy(COUNTER, 'value', by).hSet(COUNTER, 'by', from).exec()
      return { value: Number(value), by: from }
    },
    async report(own) {
      await client.hSet(ROLLS, server, JSON.stringify(own))
      const rolls = await client.hVals(ROLLS)
      return rolls.map((each) => roll.parse(JSON.parse(each)))
    },
    async exile(id, seconds) {
      if (seconds > 0) await client.set(exileKey(id), '', { PX: Math.round(1000 * seconds) })
    },
    secondsLeft: async (id) => Math.max(0, Math.ceil((await client.pTTL(exileKey(id))) / 1000)),
  }
}
