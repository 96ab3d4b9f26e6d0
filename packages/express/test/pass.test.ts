import { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { createEntry, type Message } from '../src/entry.ts'
import { History } from '../src/history.ts'
import { Pass, type Passed } from '../src/pass.ts'

const ALL = { length: 1_000, bytes: 1_000_000, age: 60_000 }

/** Histories of one log. */
class Log {
  readonly head = { g: 0 }

  channel(): History {
    return new History(this.head)
  }

  say(history: History, message: Message): void {
    this.head.g += 1
    history.append(createEntry(message, 'x', this.head.g, 0), ALL)
  }

  publish(history: History, data = 'x'): void {
    this.say(history, { kind: 'event', event: 'n', data, key: undefined })
  }
}

/** A stream in step with its first channel. */
function inStep(...histories: History[]) {
  const straight = new Socket()
  const write = vi.spyOn(straight, 'write').mockReturnValue(true)
  const stream = {
    cursor: 0,
    straight: straight as Socket | undefined,
    followed: histories[0],
    histories: histories.length > 1 ? histories : undefined,
    quiet: 7,
    waiting: false as boolean,
    deliver: vi.fn((_slices?: number) => false),
    fill: vi.fn(),
  } satisfies Passed
  return { stream, write }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a pass over streams in step', () => {
  it('writes one Buffer to all of them, moves their cursors and does not ask them', async () => {
    const log = new Log()
    const news = log.channel()
    const readers = [inStep(news), inStep(news), inStep(news)]
    const pass = new Pass<Passed>()
    log.publish(news)
    log.publish(news)
    pass.scheduleAll(new Set(readers.map(({ stream }) => stream)))
    await turn()
    const [bytes] = readers[0]?.write.mock.calls[0] ?? []
    for (const { stream, write } of readers) {
      expect(write).toHaveBeenCalledTimes(1)
      expect(write.mock.calls[0]?.[0]).toBe(bytes)
      expect(stream).toMatchObject({ cursor: 2, quiet: 0 })
      expect(stream.deliver).not.toHaveBeenCalled()
      expect(stream.fill).not.toHaveBeenCalled()
    }
  })

  it('gives each what lies between its own cursor and the head', async () => {
    const log = new Log()
    const news = log.channel()
    log.publish(news, 'first')
    log.publish(news, 'second')
    const behind = inStep(news)
    const ahead = inStep(news)
    ahead.stream.cursor = 1
    const pass = new Pass<Passed>()
    pass.scheduleAll(new Set([behind.stream, ahead.stream]))
    await turn()
    expect(String(behind.write.mock.calls[0]?.[0])).toMatch(/first.*second/s)
    expect(String(ahead.write.mock.calls[0]?.[0])).not.toContain('first')
    expect(String(ahead.write.mock.calls[0]?.[0])).toContain('second')
  })

  it('tells a stream when its socket wants no more', async () => {
    const log = new Log()
    const news = log.channel()
    const { stream, write } = inStep(news)
    write.mockReturnValue(false)
    log.publish(news)
    const pass = new Pass<Passed>()
    pass.scheduleAll(new Set([stream]))
    await turn()
    expect(stream.fill).toHaveBeenCalledTimes(1)
  })

  it.each<[string, (log: Log, news: History, own: History) => void]>([
    ['another of its channels has news', (log, _, own) => log.publish(own)],
    ['the channel has ended', (log, news) => log.say(news, { kind: 'end', reason: 'done' })],
    ['something was dropped', (_, news) => news.shrink(0)],
    ['there is more than a slice', (log, news) => log.publish(news, 'x'.repeat(70_000))],
  ])('leaves it to the stream when %s', async (_, happen) => {
    const log = new Log()
    const news = log.channel()
    const own = log.channel()
    const { stream, write } = inStep(news, own)
    log.publish(news)
    happen(log, news, own)
    log.publish(news)
    const pass = new Pass<Passed>()
    pass.scheduleAll(new Set([stream]))
    await turn()
    expect(write).not.toHaveBeenCalled()
    expect(stream.deliver).toHaveBeenCalledTimes(1)
    expect(stream.cursor).toBe(0)
  })

  it('goes on where it was when its time was up, and serves nobody twice', async () => {
    const log = new Log()
    const news = log.channel()
    log.publish(news)
    const readers = Array.from({ length: 200 }, () => inStep(news))
    for (const { write } of readers) {
      write.mockImplementation(() => {
        const until = performance.now() + 0.2
        while (performance.now() < until);
        return true
      })
    }
    const pass = new Pass<Passed>()
    const streams = new Set(readers.map(({ stream }) => stream))
    pass.scheduleAll(streams)
    await turn()
    const first = readers.filter(({ write }) => write.mock.calls.length > 0).length
    expect(first).toBeLessThan(200)
    // One who leaves meanwhile is not served.
    const left = readers.at(-1)
    if (left !== undefined) streams.delete(left.stream)
    await expect.poll(() => readers.at(-2)?.write.mock.calls.length).toBe(1)
    for (const { write } of readers.slice(0, -1)) expect(write).toHaveBeenCalledTimes(1)
    expect(left?.write).not.toHaveBeenCalled()
  })

  it('holds the event loop for as long as others did since it let go, from 2 ms to 8 ms', async () => {
    const log = new Log()
    const news = log.channel()
    log.publish(news)
    let now = 0
    using clock = vi.spyOn(performance, 'now')
    clock.mockImplementation(() => now)
    const readers = Array.from({ length: 400 }, () => inStep(news))
    // 32 of them are served between two looks at the clock.
    for (const { write } of readers) {
      write.mockImplementation(() => {
        now += 2 / 33
        return true
      })
    }
    const served = (): number => readers.filter(({ write }) => write.mock.calls.length > 0).length
    const pass = new Pass<Passed>()
    pass.scheduleAll(new Set(readers.map(({ stream }) => stream)))
    const counts: number[] = []
    for (const others of [1_000, 0, 5, 1_000]) {
      now += others
      const before = served()
      await turn()
      counts.push(served() - before)
    }
    expect(counts).toEqual([64, 64, 96, 160])
  })

  it('serves all of them at once before something is dropped', () => {
    const log = new Log()
    const news = log.channel()
    log.publish(news)
    const readers = Array.from({ length: 100 }, () => inStep(news))
    const pass = new Pass<Passed>()
    pass.scheduleAll(new Set(readers.map(({ stream }) => stream)))
    pass.hurry()
    for (const { write } of readers) expect(write).toHaveBeenCalledTimes(1)
  })

  it('waits for the end of the turn where everybody was offered what is dropped, or cannot take it', async () => {
    const log = new Log()
    const news = log.channel()
    const reader = inStep(news)
    reader.stream.cursor = 10
    const stalled = inStep(news)
    const pass = new Pass<Passed>()
    for (let n = 0; n < 20; n++) log.publish(news)
    pass.scheduleAll(new Set([reader.stream, { ...stalled.stream, straight: undefined, waiting: true }]))
    pass.hurry(10)
    expect(reader.write).not.toHaveBeenCalled()
    await turn()
    expect(reader.write).toHaveBeenCalledTimes(1)
  })

  it('hurries for one who stands behind what is dropped, however it came to be served', () => {
    const log = new Log()
    const news = log.channel()
    const behind = inStep(news)
    behind.stream.cursor = 9
    for (let n = 0; n < 20; n++) log.publish(news)
    const audience = new Pass<Passed>()
    audience.scheduleAll(new Set([behind.stream]))
    audience.hurry(10)
    expect(behind.write).toHaveBeenCalledTimes(1)
    const alone = inStep(news)
    alone.stream.cursor = 9
    const single = new Pass<Passed>()
    single.hurry(10)
    single.schedule(alone.stream)
    single.hurry(9)
    expect(alone.write).not.toHaveBeenCalled()
    single.hurry(10)
    expect(alone.write).toHaveBeenCalledTimes(1)
  })

  it('hurries for one who came to an audience, or can be served again, after that was looked at', () => {
    const log = new Log()
    const news = log.channel()
    for (let n = 0; n < 20; n++) log.publish(news)
    const late = inStep(news)
    late.stream.waiting = true
    const pass = new Pass<Passed>()
    pass.scheduleAll(new Set([late.stream]))
    pass.hurry(10)
    late.stream.waiting = false
    pass.hurry(10)
    expect(late.write).not.toHaveBeenCalled()
    pass.count(late.stream)
    pass.hurry(10)
    expect(late.write).toHaveBeenCalledTimes(1)
  })

  it('walks along an audience once for all that it was told while that waited', async () => {
    const pass = new Pass<Passed>()
    const slow = Array.from({ length: 96 }, () => {
      const { stream } = inStep()
      stream.straight = undefined
      stream.deliver.mockImplementation(() => {
        const until = performance.now() + 0.5
        while (performance.now() < until);
        return false
      })
      return stream
    })
    const walks = (): number => slow.at(-1)?.deliver.mock.calls.length ?? 0
    const audience = new Set<Passed>(slow)
    const [first] = slow
    for (let told = 0; told < 30; told++) {
      pass.scheduleAll(audience)
      if (first !== undefined) pass.schedule(first)
      await turn()
    }
    const [before, served] = [walks(), first?.deliver.mock.calls.length ?? 0]
    expect(before).toBeLessThan(15)
    // What is still to be done is the walk under way, and one more.
    for (let rest = 0; rest < 30; rest++) await turn()
    expect(walks() - before).toBeLessThanOrEqual(2)
    expect((first?.deliver.mock.calls.length ?? 0) - served).toBeLessThanOrEqual(3)
  })

  it('hurries also for those whom a pass under way did not come to, if one who is served publishes', async () => {
    const log = new Log()
    const news = log.channel()
    log.publish(news)
    const publisher = inStep(news)
    const behind = inStep(news)
    const pass = new Pass<Passed>()
    publisher.stream.deliver.mockImplementation(() => {
      expect(behind.write).not.toHaveBeenCalled()
      pass.hurry(1)
      expect(behind.write).toHaveBeenCalledTimes(1)
      return false
    })
    pass.scheduleAll(new Set([{ ...publisher.stream, straight: undefined }, behind.stream]))
    await turn()
    expect(publisher.stream.deliver).toHaveBeenCalledTimes(1)
    expect(behind.write).toHaveBeenCalledTimes(1)
  })
})

describe('the slices of a turn', () => {
  /** A stream that has so many more slices. */
  function behind(slices: number) {
    const { stream } = inStep()
    let left = slices
    stream.straight = undefined
    stream.deliver.mockImplementation((slices = 1) => {
      left -= slices
      return left > 0
    })
    return stream
  }

  it('are many for a stream that is alone, in each write as many as it took before, eight at most, and the next turn brings the next', async () => {
    const pass = new Pass<Passed>()
    const stream = behind(36)
    pass.schedule(stream)
    await turn()
    expect(stream.deliver.mock.calls).toEqual([[2], [2], [4], [8], [8], [8]])
    await turn()
    expect(stream.deliver.mock.calls.slice(6)).toEqual([[2], [2]])
    await turn()
    expect(stream.deliver).toHaveBeenCalledTimes(8)
  })

  it('end where a reader that is alone takes no more', async () => {
    const pass = new Pass<Passed>()
    const stream = behind(36)
    pass.schedule(stream)
    stream.deliver.mockReturnValueOnce(true).mockReturnValueOnce(false)
    await turn()
    expect(stream.deliver.mock.calls).toEqual([[2], [2]])
  })

  it('are one for each where several wait', async () => {
    const pass = new Pass<Passed>()
    const streams = [behind(3), behind(2)]
    for (const stream of streams) pass.schedule(stream)
    await turn()
    expect(streams.map(({ deliver }) => deliver.mock.calls.length)).toEqual([1, 1])
    await turn()
    expect(streams.map(({ deliver }) => deliver.mock.calls.length)).toEqual([2, 2])
    await turn()
    expect(streams.map(({ deliver }) => deliver.mock.calls.length)).toEqual([3, 2])
  })
})
