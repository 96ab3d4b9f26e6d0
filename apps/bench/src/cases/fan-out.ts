import type { LoadRequests } from '../load.ts'
import { startWorker } from '../processes.ts'
import type { ServerRequests } from '../server.ts'

export interface FanOut {
  readonly readers: number
  readonly bytes: number
  readonly perTurn: number
  readonly turns: number
}

export interface FanOutResult {
  /** CPU microseconds of the server process for each delivery. */
  readonly cpu: number
  readonly deliveriesPerSecond: number
}

/** One event to many readers: what a delivery costs the server. */
export async function fanOut(
  peer: string,
  { bytes, perTurn, readers, turns }: FanOut,
): Promise<FanOutResult> {
  const server = startWorker<ServerRequests>('./server.ts', [peer])
  const load = startWorker<LoadRequests>('./load.ts')
  try {
    const { port } = await server.ask('start', undefined)
    await load.ask('open', { port, count: readers })
    const run = async (turns: number): Promise<FanOutResult> => {
      const before = await server.ask('usage', undefined)
      const start = performance.now()
      const deliveries = turns * perTurn * readers
      const arrived = load.ask('await', { deliveries, timeout: 60_000 })
      // About twice what a turn takes, so that no turn meets the one before.
      await server.ask('publish', {
        turns,
        perTurn,
        bytes,
        pause: Math.ceil((readers * 20 * Math.sqrt(perTurn)) / 1000),
      })
      const { deliveries: got } = await arrived
      const seconds = (performance.now() - start) / 1000
      const after = await server.ask('usage', undefined)
      if (got < deliveries) throw new Error(`${peer}: ${got} of ${deliveries} deliveries arrived.`)
      return {
        cpu: (after.cpuMicroseconds - before.cpuMicroseconds) / got,
        deliveriesPerSecond: got / seconds,
      }
    }
    await run(Math.ceil(turns / 4))
    return await run(turns)
  } finally {
    await Promise.all([server.stop(), load.stop()])
  }
}
