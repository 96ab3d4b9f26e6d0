import { Readable } from 'node:stream'
import type { Source } from '@sse/express'
import { connect } from '@sse/express/testing'
import { describe, expect, it, vi } from 'vitest'
import { bareApp, eventsApp } from './app.ts'

const values = (
  events: readonly { readonly event: string; readonly json: unknown }[],
  name = 'n',
): unknown[] => events.filter(({ event }) => event === name).map(({ json }) => json)

/** A source that is asked for an item and never has one: what does it hear when its reader leaves? */
function parked() {
  const told = vi.fn()
  const sources: Record<'iterator' | 'web' | 'node' | 'generator', Source<number>> = {
    iterator: {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>(() => {}),
        return: () => {
          told('return')
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }),
    },
    web: () =>
      new ReadableStream<number>({
        cancel() {
          told('cancel')
        },
      }),
    node: () =>
      new Readable({
        objectMode: true,
        read() {},
        destroy(error, done) {
          told('destroy')
          done(error)
        },
      }),
    generator: async function* ({ signal }: { readonly signal: AbortSignal }) {
      try {
        yield 1
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      } finally {
        told('finally')
      }
    },
  }
  return { told, sources }
}

describe('sendAll', () => {
  it.each([
    ['an array', () => [1, 2, 3]],
    [
      'a generator',
      function* () {
        yield* [1, 2, 3]
      },
    ],
    [
      'an async generator',
      async function* () {
        yield* [1, 2, 3]
      },
    ],
    [
      'a web stream',
      () =>
        new ReadableStream<number>({
          start(controller) {
            for (const n of [1, 2, 3]) controller.enqueue(n)
            controller.close()
          },
        }),
    ],
    ['a Node stream', () => Readable.from([1, 2, 3])],
  ])('sends every item of %s', async (_, source) => {
    const { app } = bareApp()
    app.get('/events', async (_req, res) => {
      await res.sse.sendAll('n', source)
      res.sse.close()
    })
    const client = await connect(app, '/events')
    expect(values(await client.rest())).toEqual([1, 2, 3])
  })

  it('takes the next item only when the reader can take more', async () => {
    const { app, hub } = bareApp()
    let made = 0
    app.get('/events', (_, res) =>
      res.sse.sendAll('n', function* () {
        for (; made < 10_000; made++) yield 'x'.repeat(50_000)
      }),
    )
    const client = await connect(app, '/events')
    client.pause()
    let before = -1
    await expect
      .poll(() => {
        const still = made > 0 && made === before
        before = made
        return still
      })
      .toBe(true)
    expect(made).toBeLessThan(1_000)
    await client.drop()
    await expect.poll(() => hub.stats().streams).toBe(0)
  })

  it.each([
    ['iterator', 'return'],
    ['web', 'cancel'],
    ['node', 'destroy'],
    ['generator', 'finally'],
  ] as const)('stops a parked source as soon as its reader leaves: %s is told %s', async (kind, word) => {
    const { app } = bareApp()
    const source = parked()
    let sent: Promise<void> | undefined
    app.get('/events', (_, res) => {
      res.sse.send('hello', null)
      sent = res.sse.sendAll('n', source.sources[kind])
    })
    const client = await connect(app, '/events')
    await client.next('hello')
    await client.drop()
    await expect.poll(() => source.told.mock.calls).toEqual([[word]])
    await sent
  })

  it('stops a parked source as soon as its stream is ended, however long its reader takes for the rest', async () => {
    const { app, hub } = bareApp()
    const source = parked()
    let sent: Promise<void> | undefined
    app.get('/events', (_, res) => {
      sent = res.sse.sendAll('n', source.sources.iterator)
    })
    const client = await connect(app, '/events')
    client.pause()
    const [stream] = hub.streams
    let refusals = 0
    await expect
      .poll(
        () => {
          refusals = stream?.send('hello', 'x'.repeat(200_000)) ? 0 : refusals + 1
          return refusals
        },
        { interval: 10 },
      )
      .toBe(4)
    stream?.disconnect()
    await sent
    expect(source.told.mock.calls).toEqual([['return']])
    expect(hub.streams.size).toBe(1)
  })

  it('starts no source for a reader that has left already', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    const [stream] = hub.streams
    await client.drop()
    await stream?.closed
    const started = vi.fn()
    await stream?.sendAll('n', {
      [Symbol.asyncIterator]: () => ({
        next() {
          started()
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }),
    })
    expect(started).not.toHaveBeenCalled()
  })

  it('closes the stream with the reason error where the source fails, and keeps its message to itself', async () => {
    const { app, errors } = bareApp()
    app.get('/events', (_, res) => {
      void res.sse.sendAll('n', async function* () {
        yield 1
        throw new Error('password=1234')
      })
    })
    const client = await connect(app, '/events')
    const events = await client.rest()
    expect(values(events)).toEqual([1])
    expect(events.at(-1)).toMatchObject({ event: 'sse.close', json: { reason: 'error' } })
    expect(client.raw).not.toContain('password')
    expect(errors).toMatchObject([{ code: 'ERR_SSE_PRODUCER', cause: { message: 'password=1234' } }])
  })

  it('rejects for a handler that awaits it, with the cause', async () => {
    const { app, errors } = bareApp()
    let seen: unknown
    app.get('/events', async (_, res) => {
      await res.sse
        .sendAll('n', function* () {
          yield 1
          throw new Error('inside')
        })
        .catch((error) => {
          seen = error
        })
    })
    await (await connect(app, '/events')).ended
    expect(seen).toMatchObject({ code: 'ERR_SSE_PRODUCER', cause: { message: 'inside' } })
    expect(errors).toEqual([])
  })

  it('stops the source where an item cannot be sent', async () => {
    const { app, errors } = bareApp()
    const stopped = vi.fn()
    app.get('/events', (_, res) => {
      void res.sse.sendAll('n', async function* () {
        try {
          yield 1
          yield 1n
          yield 2
        } finally {
          stopped()
        }
      })
    })
    const client = await connect(app, '/events')
    expect(values(await client.rest())).toEqual([1])
    expect(stopped).toHaveBeenCalledTimes(1)
    expect(errors).toMatchObject([{ code: 'ERR_SSE_NOT_JSON' }])
  })
})

describe('publishAll', () => {
  it('publishes every item, each when the one before is stored', async () => {
    const { app, hub } = eventsApp()
    const client = await connect(app, '/events')
    await hub.channel('news').publishAll('n', async function* () {
      yield* [1, 2, 3]
    })
    await hub.channel('news').publish('done', null)
    expect(values(await client.upTo('done'))).toEqual([1, 2, 3])
  })

  it('is stopped by its signal, and stops the producer', async () => {
    const { hub } = eventsApp()
    const source = parked()
    const controller = new AbortController()
    const published = hub
      .channel('news')
      .publishAll('n', source.sources.iterator, { signal: controller.signal })
    controller.abort()
    await published
    expect(source.told).toHaveBeenCalledWith('return')
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('nobody is told'))],
    [
      'throws',
      () => {
        throw new Error('nobody is told')
      },
    ],
  ])('hurts nobody by a producer that %s when it is stopped', async (_, fail) => {
    const { hub, errors } = eventsApp()
    const source = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: fail }),
    }
    const controller = new AbortController()
    const published = hub.channel('news').publishAll('n', source, { signal: controller.signal })
    controller.abort()
    await published
    expect(errors).toEqual([])
  })

  it('is not asked for where it was stopped before', async () => {
    const { hub } = eventsApp()
    const source = vi.fn(() => [1])
    await hub.channel('news').publishAll('n', source, { signal: AbortSignal.abort() })
    expect(source).not.toHaveBeenCalled()
  })

  it.each([
    ['a promise', Promise.resolve([1]), /async function\*/],
    ['a promise that fails', () => Promise.reject(new Error('nobody is told')), /async function\*/],
    ['a text', 'text', /got string/],
    ['a number', 42, /got number/],
    ['a function that makes none', () => undefined, /got undefined/],
  ])('is refused where it is %s', async (_, source, message) => {
    const { hub } = eventsApp()
    const news = hub.channel('news')
    await expect(Reflect.apply(news.publishAll, news, ['n', source])).rejects.toMatchObject({
      code: 'ERR_SSE_PRODUCER',
      message: expect.stringMatching(message),
    })
  })

  it('that throws when it is asked for says so as one that throws later does', async () => {
    const { hub } = eventsApp()
    const publishing = hub.channel('news').publishAll('n', () => {
      throw new Error('inside')
    })
    await expect(publishing).rejects.toMatchObject({ code: 'ERR_SSE_PRODUCER', cause: { message: 'inside' } })
  })

  it('that somebody else is reading says so as well', async () => {
    const { hub } = eventsApp()
    const source = new ReadableStream<number>()
    source.getReader()
    await expect(hub.channel('news').publishAll('n', source)).rejects.toMatchObject({
      code: 'ERR_SSE_PRODUCER',
      cause: { message: expect.stringContaining('locked') },
    })
  })

  it('that keeps nobody waiting lets others have their turn', async () => {
    const { hub } = eventsApp()
    let over = false
    setTimeout(() => {
      over = true
    }, 10)
    await hub.channel('news').publishAll('n', function* () {
      for (let n = 0; n < 1_000_000 && !over; n++) yield n
    })
    expect(over).toBe(true)
  })

  it('that fails and is not looked at goes to the hub', async () => {
    const { hub, errors } = eventsApp()
    void hub.channel('news').publishAll('n', [1n])
    await expect.poll(() => errors).toMatchObject([{ code: 'ERR_SSE_NOT_JSON' }])
  })
})
