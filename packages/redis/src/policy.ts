import { SseError } from '@sse/express'
import { Script, type ScriptRunner } from './script.ts'

/** Returns what Redis does when its memory is full, and the key that it received. */
const policyScript: Script = new Script(`#!lua flags=allow-oom
return { string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:(%S+)'), KEYS[1] }
`)

/**
 * Refuses a Redis that may evict keys, since events would be lost silently, and a client that prefixes keys, since it does
 * not prefix topics.
 *
 * @throws {@link SseError} `ERR_SSE_BROKER`
 */
export async function checkPolicy(runner: ScriptRunner, key: string): Promise<void> {
  const reply = await policyScript.run(runner, key, [])
  const [policy, received] = Array.isArray(reply) ? reply.map(String) : []
  if (policy !== 'noeviction') {
    throw new SseError(
      'ERR_SSE_BROKER',
      503,
      `Redis may evict keys (maxmemory-policy ${policy}), so that events would be lost silently: set maxmemory-policy noeviction, or use another Redis.`,
    )
  }
  if (received !== key) {
    throw new SseError(
      'ERR_SSE_BROKER',
      503,
      `The client has a keyPrefix (it sends ${received} for ${key}), which does not apply to subscriptions: give the broker a client without one, and use the broker's own prefix option.`,
    )
  }
}
