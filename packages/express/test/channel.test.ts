import { type Broker, History, memoryBroker, SseError } from '@sse/express'
import { connect } from '@sse/express/testing'
import { describe, expect, it, vi } from 'vitest'
import { bareApp, eventsApp } from './app.ts'

type Seen = readonly { readonly event: string; readonly json: unknown }[]
const names = (events: Seen): string[] => events.map(({ event }) => event)
const values = (events: Seen): unknown[] =>
  events.filter(({ event }) => event === 'n').map(({ json }) => json)

/** A producer that is told when to go on. */
function steps() {
  const waiting: (() => void)[] = []
  return {
    step: (): Promise<void> => new Promise((resolve) => waiting.push(resolve)),
    async next(): Promise<void> {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      waiting.shift()?.()
    },
  }
}

describe('publish', () => {
  it('keeps the order of calls in one turn, awaited or not', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    const channel = hub.channel('news')
    const ids = await Promise.all([1, 2, 3].map((n) => channel.publish('n', n)))
    void hub.channel('news').publish('n', 4)
    await hub.channel('news').publish('done', null)
    const events = (await client.upTo('done')).filter(({ event }) => event === 'n')
    expect(values(events)).toEqual([1, 2, 3, 4])
    expect(events.slice(0, 3).map(({ id }) => id)).toEqual(ids)
  })

  it('takes what a broker has at once', async () => {
    const broker = Object.assign(memoryBroker(), { publish: vi.fn((): string => 'x-1') })
    const { errors, hub } = eventsApp({ broker })
    void hub.channel('news').publish('n', 1)
    expect(await hub.channel('news').publish('n', 2)).toBe('x-1')
    expect(errors).toEqual([])
  })

  it('serialises once, however many readers there are', async () => {
    const { app, hub } = eventsApp()
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(app, '/events')))
    const toJSON = vi.fn(() => 'once')
    await hub.channel('news').publish('n', { toJSON })
    for (const client of clients) expect((await client.next('n')).json).toBe('once')
    expect(toJSON).toHaveBeenCalledTimes(1)
  })

  it('never lets bytes of a channel reach a stream that did not join it', async () => {
    const { app, hub } = eventsApp()
    const sets = ['a', 'b', 'a,b', 'a,c', 'b,c', 'a,b,c']
    const clients = await Promise.all(sets.map((set) => connect(app, `/events?channels=${set}`)))
    await Promise.all(clients.map((client) => client.next('sse.live')))
    for (let n = 0; n < 30; n++) {
      for (const name of ['a', 'b', 'c']) void hub.channel(name).publish(name, n)
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(['a', 'b', 'c'].map((name) => hub.channel(name).publish(name, 'done')))
    for (const [index, client] of clients.entries()) {
      const joined = (sets[index] ?? '').split(',')
      await expect.poll(() => client.all().filter(({ json }) => json === 'done').length).toBe(joined.length)
      const own = client.all().filter(({ event }) => !event.startsWith('sse.'))
      expect(new Set(names(own))).toEqual(new Set(joined))
      for (const name of joined) {
        expect(own.filter(({ event }) => event === name).map(({ json }) => json)).toEqual([
          ...Array.from({ length: 30 }, (_, n) => n),
          'done',
        ])
      }
    }
  })
})

describe('the end of a channel', () => {
  it('comes after the rest, closes the stream and keeps the client away', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    await client.next('sse.live')
    void hub.channel('news').publish('n', 1)
    await hub.channel('news').end('complete')
    const events = await client.rest()
    expect(names(events)).toEqual(['n', 'sse.close'])
    expect(events.at(-1)?.json).toEqual({ reason: 'complete' })
    expect((await client.resume()).status).toBe(204)
  })

  it('closes only once all channels of the stream have ended', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events?channels=a,b')
    await hub.channel('a').end()
    await hub.channel('b').publish('n', 1)
    expect((await client.next('n')).json).toBe(1)
    await hub.channel('b').end('last')
    expect((await client.next('sse.close')).json).toEqual({ reason: 'last' })
  })

  it('reaches who comes late: the replay, then the close', async () => {
    const { app, hub } = eventsApp()
    const before = await hub.cursor()
    await hub.channel('news').publish('n', 1)
    await hub.channel('news').end()
    for (const options of [{ lastEventId: before }, {}]) {
      const path = options.lastEventId === undefined ? '/events?last=Infinity' : '/events'
      const client = await connect(app, path, options)
      expect(names(await client.rest())).toEqual(['sse.open', 'n', 'sse.live', 'sse.close'])
    }
  })

  it('refuses what is published afterwards, with the remedy', async () => {
    const { hub } = eventsApp()
    await hub.channel('news').end()
    await expect(hub.channel('news').publish('n', 1)).rejects.toMatchObject({
      code: 'ERR_SSE_CHANNEL_ENDED',
      status: 409,
    })
    await expect(hub.channel('news').end()).rejects.toMatchObject({ code: 'ERR_SSE_CHANNEL_ENDED' })
  })
})

describe('two hubs of one broker', () => {
  const pair = () => {
    const broker = memoryBroker()
    return [eventsApp({ broker }), eventsApp({ broker })] as const
  }

  it('count the readers of both', async () => {
    const [one, other] = pair()
    for (const { app } of [one, one, other]) await connect(app, '/events')
    for (const { hub } of [one, other]) expect(hub.channel('news').size).toBe(3)
    expect(one.hub.channel('nobody').size).toBe(0)
  })

  it('disconnect the readers of both, who come back where they were', async () => {
    const [one, other] = pair()
    const clients = await Promise.all([one, other].map(({ app }) => connect(app, '/events')))
    const bystander = await connect(other.app, '/events?channels=other')
    for (const client of clients) await client.next('sse.live')
    one.hub.channel('news').disconnect()
    for (const client of clients) await client.ended
    void one.hub.channel('news').publish('n', 1)
    for (const client of clients) expect((await (await client.resume()).next('n')).json).toBe(1)
    void one.hub.channel('other').publish('n', 2)
    expect((await bystander.next('n')).json).toBe(2)
  })

  it('that cannot be told to disconnect are an error of the hub; its own readers are disconnected', async () => {
    const error = new SseError('ERR_SSE_BROKER', 503, 'away')
    const elsewhere = { size: () => 0, disconnect: () => Promise.reject(error) }
    const { app, errors, hub } = eventsApp({ broker: { ...memoryBroker(), elsewhere } })
    const client = await connect(app, '/events')
    hub.channel('news').disconnect()
    await client.ended
    await expect.poll(() => errors).toEqual([error])
  })
})

describe('run', () => {
  const answers = () => {
    const made = bareApp()
    made.app.get('/answer', (_, res) => res.sse.join('answer', { last: Number.POSITIVE_INFINITY }))
    return made
  }

  it('publishes what the producer makes, and ends the channel with it', async () => {
    const { app, hub } = answers()
    const client = await connect(app, '/answer')
    await hub.channel('answer').run(async function* () {
      for (let n = 1; n <= 3; n++) yield { event: 'n', data: n }
    })
    const events = await client.rest()
    expect(values(events)).toEqual([1, 2, 3])
    expect(events.at(-1)).toMatchObject({ event: 'sse.close', json: { reason: 'done' } })
  })

  it('lives on when its readers leave; they come back to the rest, others to all of it', async () => {
    const { app, hub } = answers()
    const { next, step } = steps()
    const running = hub.channel('answer').run(async function* () {
      for (let n = 1; n <= 4; n++) {
        yield { event: 'n', data: n }
        await step()
      }
    })
    const client = await connect(app, '/answer')
    await client.next('n')
    await next()
    await client.next('n')
    await client.drop()
    await expect.poll(() => hub.stats().streams).toBe(0)
    await next()
    await next()
    const again = await client.resume()
    expect((await again.next('n')).json).toBe(3)
    const late = await connect(app, '/answer')
    await next()
    await running
    expect(values([...client.all(), ...(await again.rest())])).toEqual([1, 2, 4])
    expect(values(await late.rest())).toEqual([1, 2, 3, 4])
  })

  it('runs once: neither beside itself nor after it has ended', async () => {
    const { hub } = answers()
    const started = vi.fn()
    const producer = async function* () {
      started()
      yield { event: 'n', data: 1 }
    }
    const first = hub.channel('answer').run(producer)
    const second = hub.channel('answer').run(producer)
    await Promise.all([first, second])
    await hub.channel('answer').run(producer)
    expect(started).toHaveBeenCalledTimes(1)
  })

  it('that fails ends with the reason error; what went wrong is for the hub alone', async () => {
    const { app, hub, errors } = answers()
    const client = await connect(app, '/answer')
    await hub.channel('answer').run(async function* () {
      yield { event: 'n', data: 1 }
      throw new Error('api key sk-123 is invalid')
    })
    const events = await client.rest()
    expect(events.at(-1)).toMatchObject({ event: 'sse.close', json: { reason: 'error' } })
    expect(client.raw).not.toContain('sk-123')
    expect(errors).toMatchObject([
      { code: 'ERR_SSE_PRODUCER', cause: { message: expect.stringContaining('sk-123') } },
    ])
  })

  it('is told to stop when the hub closes', async () => {
    const { hub } = answers()
    const stopped = vi.fn()
    const { step } = steps()
    const running = hub.channel('answer').run(async function* ({ signal }) {
      signal.addEventListener('abort', stopped)
      yield { event: 'n', data: 1 }
      await step()
    })
    await new Promise((resolve) => setImmediate(resolve))
    await hub.close()
    await running
    expect(stopped).toHaveBeenCalledTimes(1)
  })

  it('is told to stop when its channel is ended, which is no error', async () => {
    const { app, hub, errors } = answers()
    const client = await connect(app, '/answer')
    const running = hub.channel('answer').run(async function* ({ signal }) {
      yield { event: 'n', data: 1 }
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await client.next('n')
    await hub.channel('answer').end('stopped')
    await running
    expect((await client.rest()).at(-1)).toMatchObject({ event: 'sse.close', json: { reason: 'stopped' } })
    expect(errors).toEqual([])
  })

  it('is told to stop by its next event where another server has ended the channel', async () => {
    const broker = memoryBroker()
    const { hub, errors } = eventsApp({ broker })
    const end = { kind: 'end', reason: 'stopped' } as const
    const stopped = vi.fn()
    await hub.channel('answer').run(async function* ({ signal }) {
      signal.addEventListener('abort', stopped)
      await broker.publish('answer', end, { length: 1, bytes: 1_000, age: 1_000 })
      yield { event: 'n', data: 1 }
    })
    expect(stopped).toHaveBeenCalledTimes(1)
    expect(errors).toEqual([])
  })

  it('does not begin where its channel is ended while a broker is asked that has yet to hear of it', async () => {
    const memory = memoryBroker()
    const broker: Broker = {
      ...memory,
      async read(channels, after, epoch) {
        const reading = await memory.read(channels, after, epoch)
        await hub.channel('answer').end('stopped')
        return { ...reading, histories: new Map([['answer', new History({ g: reading.head })]]) }
      },
    }
    const { hub, errors } = eventsApp({ broker })
    const producer = vi.fn(() => [])
    await hub.channel('answer').run(producer)
    expect(producer).not.toHaveBeenCalled()
    expect(errors).toEqual([])
  })

  it('is not told to stop when it is done', async () => {
    const { hub } = answers()
    const stopped = vi.fn()
    await hub.channel('answer').run(function* ({ signal }) {
      signal.addEventListener('abort', stopped)
      yield { event: 'n', data: 1 }
    })
    expect(stopped).not.toHaveBeenCalled()
  })

  it('that fails where another server has ended the channel says why, and not that it cannot be ended', async () => {
    const broker = memoryBroker()
    const { hub, errors } = eventsApp({ broker })
    const end = { kind: 'end', reason: 'stopped' } as const
    await hub.channel('answer').run(async function* () {
      yield { event: 'n', data: 1 }
      await broker.publish('answer', end, { length: 1, bytes: 1_000, age: 1_000 })
      throw new Error('inside')
    })
    expect(errors).toMatchObject([{ code: 'ERR_SSE_PRODUCER', cause: { message: 'inside' } }])
  })

  it('that cannot begin, as the broker is away, takes the channel from nobody who has joined it', async () => {
    const memory = memoryBroker()
    let away = false
    const refuse = () => Promise.reject(new Error('is away'))
    const broker: Broker = {
      ...memory,
      attach: (channels, sink) => (away ? refuse() : memory.attach(channels, sink)),
      publish: (channel, ...rest) => (away ? refuse() : memory.publish(channel, ...rest)),
    }
    const { app, hub, errors } = eventsApp({ broker })
    const client = await connect(app, '/events')
    away = true
    await hub.channel('news').run(() => [])
    away = false
    expect(errors).toMatchObject([{ message: 'is away' }])
    await hub.channel('news').publish('n', 1)
    expect((await client.next('n')).json).toBe(1)
  })

  it('keeps its channel from being forgotten, and lets it go afterwards', async () => {
    const { hub } = answers()
    const { next, step } = steps()
    const running = hub.channel('answer').run(async function* () {
      await step()
      yield { event: 'n', data: 1 }
    })
    await next()
    await running
    expect(hub.stats().channels).toBe(0)
  })
})
