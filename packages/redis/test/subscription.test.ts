import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createClient } from 'redis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Peers } from '../src/peers.ts'
import { Subscription } from '../src/subscription.ts'

describe('a subscription', () => {
  it('gives up a connection that acknowledges nothing, and tries another one', async () => {
    vi.useFakeTimers()
    onTestFinished(() => {
      vi.useRealTimers()
    })
    let connections = 0
    const regained = vi.fn()
    const subscription = new Subscription({
      async create() {
        connections += 1
        const acknowledges = connections !== 2
        return {
          connect: async () => {},
          info: async () => 'role:master\r\nmaster_replid:0123456789\r\n',
          subscribe: () => (acknowledges ? Promise.resolve() : new Promise(() => {})),
          unsubscribe: async () => {},
          on() {},
          destroy() {},
        }
      },
      heard() {},
      lost() {},
      regained,
    })
    await subscription.subscribe(['a'])
    subscription.restart()
    await vi.advanceTimersByTimeAsync(4_000)
    expect(subscription.up).toBe(false)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(subscription.up).toBe(true)
    expect(connections).toBe(3)
    expect(regained).toHaveBeenCalledTimes(2)
    subscription.close()
  })

  it('is renewed on the next connection, unless it was ended', async () => {
    const subscribed: string[][] = []
    const subscription = new Subscription({
      create: async () => ({
        connect: async () => {},
        info: async () => 'role:master\r\nmaster_replid:0123456789\r\n',
        subscribe: async (topics) => subscribed.push(topics),
        unsubscribe: async () => {},
        on() {},
        destroy() {},
      }),
      heard() {},
      lost() {},
      regained() {},
    })
    onTestFinished(() => subscription.close())
    await subscription.subscribe(['a', 'b'])
    await subscription.unsubscribe('a')
    subscription.restart()
    await expect.poll(() => subscription.up).toBe(true)
    expect(subscribed).toEqual([['a', 'b'], ['b']])
  })

  it('is not of the request that asked for it first: what is heard has none of its context', async () => {
    const storage = new AsyncLocalStorage<string>()
    const created: unknown[] = []
    const subscription = new Subscription({
      async create() {
        created.push(storage.getStore())
        return {
          connect: async () => created.push(storage.getStore()),
          info: async () => 'role:master\r\nmaster_replid:0123456789\r\n',
          subscribe: async () => {},
          unsubscribe: async () => {},
          on() {},
          destroy() {},
        }
      },
      heard() {},
      lost() {},
      regained: () => created.push(storage.getStore()),
    })
    onTestFinished(() => subscription.close())
    await storage.run('of the first request', () => subscription.subscribe(['a']))
    expect(created).toEqual([undefined, undefined, undefined])
  })

  it('leaves no connection behind that was about to open when it was closed, also to a server that is silent', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.close()
    })
    const connected = once(server, 'connection')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const subscription = new Subscription({
      async create() {
        const client = createClient({ url: `redis://127.0.0.1:${port}` })
        const connect = client.connect.bind(client)
        vi.spyOn(client, 'connect').mockImplementation(() => {
          const connecting = connect()
          subscription.close()
          return connecting
        })
        return client
      },
      heard() {},
      lost() {},
      regained() {},
    })
    await expect(subscription.subscribe(['a'])).rejects.toMatchObject({ code: 'ERR_SSE_BROKER' })
    const [socket] = await connected
    await once(socket.resume(), 'close')
  })
})

describe('the other processes', () => {
  it('are listened to no more once the broker is closed, whatever was asked for before', async () => {
    const listen = vi.fn(async () => {})
    const runner = (): Promise<never> => Promise.reject(new Error('Redis is away'))
    const peers = new Peers({
      ...{ id: 'one', key: '{sse}:meta', topic: '{sse}:peers:', interval: 1_000, timeout: 100 },
      ...{ runner, listen, size: () => 0, disconnect() {} },
    })
    peers.size('news')
    await peers.close()
    await new Promise(setImmediate)
    peers.size('news')
    await new Promise(setImmediate)
    expect(listen).not.toHaveBeenCalled()
  })

  it("are asked in nobody's name, whoever asks first", async () => {
    const storage = new AsyncLocalStorage<string>()
    const heard = await new Promise((resolve) => {
      const listen = async (): Promise<void> => resolve(storage.getStore())
      const runner = (): Promise<never> => Promise.reject(new Error('Redis is away'))
      const peers = new Peers({
        ...{ id: 'one', key: '{sse}:meta', topic: '{sse}:peers:', interval: 1_000, timeout: 100 },
        ...{ runner, listen, size: () => 0, disconnect() {} },
      })
      onTestFinished(() => peers.close())
      storage.run('of the first request', () => peers.size('news'))
    })
    expect(heard).toBeUndefined()
  })
})
