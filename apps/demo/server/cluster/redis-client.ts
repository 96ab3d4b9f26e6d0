import { createClient } from 'redis'

/** A client of the Redis at this url, connected. */
export const connectRedis = (url: string) =>
  createClient({ url, socket: { reconnectStrategy: 100 } })
    // It comes back by itself, and that Redis is down is told by who keeps it running.
    .on('error', () => {})
    .connect()

export type RedisClient = Awaited<ReturnType<typeof connectRedis>>
