import { randomUUID } from 'node:crypto'
import type { Publisher } from '@sse/redis'
import type { events } from '../../shared/events.ts'
import { CLUSTER } from '../hub.ts'

/** How often it ticks, in milliseconds. */
const INTERVAL = 250

/**
 * Publishes 1, 2, 3 and so on, so that every reader can tell whether it has all.
 *
 * @returns a function that stops it
 */
export function startTicker(publisher: Publisher<typeof events>): () => void {
  const channel = publisher.channel(CLUSTER)
  let run = randomUUID()
  let n = 0
  let stopped = false
  let timer = setTimeout(tick, INTERVAL)

  async function tick(): Promise<void> {
    n += 1
    try {
      await channel.publish('tick', { run, n, at: Date.now() })
    } catch {
      // Redis was away for long. Whether this one is stored nobody knows, so it is counted anew.
      run = randomUUID()
      n = 0
    }
    if (!stopped) timer = setTimeout(tick, INTERVAL)
  }

  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
