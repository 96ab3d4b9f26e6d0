import { describe, expect, it } from 'vitest'
import { Delivery } from '../src/delivery.ts'
import { createEntry, type Message } from '../src/entry.ts'
import { History, type Retention } from '../src/history.ts'
import type { Place } from '../src/place.ts'

const ALL: Retention = { length: 1_000, bytes: 1_000_000, age: 60_000 }
const LIMIT = 64 * 1024

/** Where nothing was read yet. */
const place = (): Place => ({
  cursor: 0,
  straight: undefined,
  followed: undefined,
  histories: undefined,
})

/** A log of several channels, as one server sees it. */
class Log {
  readonly head = { g: 0 }
  readonly #epoch: string
  readonly #histories = new Map<string, History>()

  constructor(epoch = 'x') {
    this.#epoch = epoch
  }

  channel(name: string): History {
    const history = this.#histories.get(name) ?? new History(this.head)
    this.#histories.set(name, history)
    return history
  }

  publish(name: string, data: string, retention: Partial<Retention> = {}): number {
    return this.say(name, { kind: 'event', event: 'n', data, key: undefined }, retention)
  }

  say(name: string, message: Message, retention: Partial<Retention> = {}): number {
    const history = this.channel(name)
    this.head.g += 1
    history.append(createEntry(message, this.#epoch, this.head.g, 0), { ...ALL, ...retention })
    return this.head.g
  }

  /** A delivery that stands at a position of some channels. */
  reader(names: readonly string[], cursor = this.head.g, target = this.head.g): Delivery {
    const delivery = new Delivery(place())
    const members = names.map((channel) => {
      const history = this.channel(channel)
      return { channel, history, since: cursor, floor: cursor, covered: 0, coveredStates: 0 }
    })
    delivery.start(this.#epoch, cursor, target, members)
    return delivery
  }

  /** A delivery to a first-time reader of a channel, who is due its states. */
  newcomer(channel: string): Delivery {
    const delivery = new Delivery(place())
    const { g } = this.head
    const history = this.channel(channel)
    delivery.start(this.#epoch, 0, g, [
      { channel, history, since: g, floor: 0, covered: g, coveredStates: 0 },
    ])
    return delivery
  }

  /** What a broker reads of some channels. */
  read(...channels: readonly string[]): ReadonlyMap<string, History> {
    return new Map(channels.map((name) => [name, this.channel(name)]))
  }
}

/** Takes all there is; each block as its id, name and data. */
function take(delivery: Delivery, limit = LIMIT): string[] {
  let text = ''
  for (let slice = delivery.next(limit); slice !== undefined; slice = delivery.next(limit)) {
    text += slice.bytes.toString()
  }
  return blocks(text)
}

const blocks = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      return [field('id')?.replace('x-', ''), field('event'), field('data')].filter(Boolean).join(' ')
    })

const privately = (delivery: Delivery, text: string): void =>
  delivery.insertPrivate(Buffer.from(`event: private\ndata: ${text}\n\n`))

describe('delivery', () => {
  it('says sse.live once it is where the log was when it began, with the position that it reached', () => {
    const log = new Log()
    log.publish('a', '1')
    const reader = log.reader(['a'], 0)
    expect(take(reader)).toEqual(['1 n 1', '1 sse.live {}'])
    log.publish('a', '2')
    expect(take(reader)).toEqual(['2 n 2'])
    expect(take(reader)).toEqual([])
  })

  it('merges the channels of a stream by position', () => {
    const log = new Log()
    const reader = log.reader(['a', 'b'])
    take(reader)
    for (const name of ['a', 'b', 'b', 'c', 'a']) log.publish(name, name)
    expect(take(reader)).toEqual(['1 n a', '2 n b', '3 n b', '5 n a'])
    expect(reader.cursor).toBe(5)
  })

  it('gives a slice about as long as it may be, and no id beyond what the slice holds', () => {
    const log = new Log()
    const reader = log.reader(['a', 'b'])
    take(reader)
    for (let n = 1; n <= 20; n++) log.publish(n % 2 ? 'a' : 'b', 'x'.repeat(1_000))
    let seen = 0
    for (let slice = reader.next(3_000); slice !== undefined; slice = reader.next(3_000)) {
      const ids = blocks(slice.bytes.toString()).map((block) => Number.parseInt(block, 36))
      seen += ids.length
      expect(ids.length).toBeLessThanOrEqual(3)
      expect(ids.at(-1)).toBe(seen)
      expect(reader.cursor).toBe(seen)
    }
    expect(seen).toBe(20)
  })

  it('says that there is more while there is, also if that is only what was inserted', () => {
    const log = new Log()
    log.publish('a', 'x'.repeat(LIMIT))
    const reader = log.reader(['a'], 0)
    privately(reader, 'mine')
    expect(reader.next(LIMIT)?.more).toBe(true)
    const rest = reader.next(LIMIT)
    expect(blocks(String(rest?.bytes))).toEqual(['private mine', '1 sse.live {}'])
    expect(rest?.more).toBe(false)
  })

  it('goes no further than the log is known to be complete', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('a', '1')
    log.publish('a', '2')
    log.head.g = 1
    expect(take(reader)).toEqual(['1 n 1'])
    log.head.g = 2
    expect(take(reader)).toEqual(['2 n 2'])
  })

  it('moves the cursor past what others were published', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('elsewhere', '1')
    take(reader)
    expect(reader.cursor).toBe(1)
  })

  it('shares its bytes with every reader who is due the same, and with nobody else', () => {
    const log = new Log()
    const one = log.reader(['a'])
    const same = log.reader(['a', 'quiet'])
    const other = log.reader(['a', 'b'])
    for (const reader of [one, same, other]) take(reader)
    log.publish('a', 'A')
    log.publish('b', 'B')
    const slices = [one, same, other].map((reader) => reader.next(LIMIT)?.bytes)
    expect(slices[1]).toBe(slices[0])
    expect(slices[0]?.toString()).not.toContain('B')
    expect(slices[2]?.toString()).toContain('B')
  })
})

describe('a gap in delivery', () => {
  it('comes before anything newer of its channel', () => {
    const log = new Log()
    const reader = log.reader(['a', 'b'])
    take(reader)
    for (let n = 1; n <= 3; n++) log.publish('a', String(n), { length: 1 })
    log.publish('b', 'b')
    expect(take(reader)).toEqual(['sse.gap {"channels":["a"],"reason":"evicted"}', '3 n 3', '4 n b'])
  })

  it('is announced once', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    for (let n = 1; n <= 3; n++) log.publish('a', String(n), { length: 1 })
    expect(take(reader).filter((block) => block.startsWith('sse.gap'))).toHaveLength(1)
    expect(take(reader)).toEqual([])
  })

  it('is none where what was dropped had been taken', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    for (let n = 1; n <= 3; n++) {
      log.publish('a', String(n), { length: 1 })
      expect(take(reader).join()).not.toContain('gap')
    }
  })

  it('is announced to a first-time reader, too, when states that it waits for are dropped', () => {
    const log = new Log()
    const stateOf = (key: string): Message => ({ kind: 'event', event: 'n', data: '1', key })
    log.say('a', stateOf('x'))
    log.say('a', stateOf('y'))
    const history = log.channel('a')
    const delivery = log.newcomer('a')
    history.shrink(history.bytes - 1)
    expect(take(delivery)).toEqual([
      'sse.gap {"channels":["a"],"reason":"evicted"}',
      '2 n 1',
      '2 sse.live {}',
    ])
  })

  it('in the middle of a catch-up comes in the middle', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    for (let n = 1; n <= 6; n++) log.publish('a', String(n))
    const first = blocks(reader.next(1)?.bytes.toString() ?? '')
    log.publish('a', '7', { length: 2 })
    expect([...first, ...take(reader)]).toEqual([
      '1 n 1',
      'sse.gap {"channels":["a"],"reason":"evicted"}',
      '6 n 6',
      '7 n 7',
    ])
  })
})

describe('a log that begins anew under a delivery', () => {
  it('is announced, and then delivered from its first entry on, in the new histories', () => {
    const old = new Log('w')
    old.publish('a', '"old"')
    const delivery = old.reader(['a'])
    take(delivery)
    const log = new Log()
    log.publish('a', '"new"')
    delivery.restart('x', log.head.g, log.read('a'))
    old.publish('a', '"never"')
    expect(take(delivery)).toEqual([
      'sse.gap {"channels":["a"],"reason":"epoch"}',
      '1 n "new"',
      '1 sse.live {}',
    ])
    log.publish('a', '"next"')
    expect(take(delivery)).toEqual(['2 n "next"'])
  })

  it('brings no channel back that was left meanwhile', () => {
    const old = new Log('w')
    const delivery = old.reader(['a', 'b'])
    take(delivery)
    const log = new Log()
    log.publish('a', '1')
    log.publish('b', '2')
    delivery.leave('a')
    delivery.restart('x', log.head.g, log.read('a', 'b'))
    expect(take(delivery)).toEqual(['sse.gap {"channels":["b"],"reason":"epoch"}', '2 n 2', '2 sse.live {}'])
  })

  it('lets who has left all channels hear at once of one joined later, though positions are lower now', () => {
    const old = new Log('w')
    for (let n = 0; n < 5; n++) old.publish('a', String(n))
    const delivery = old.reader(['a'])
    delivery.leave('a')
    take(delivery)
    const log = new Log()
    log.publish('a', '1')
    delivery.restart('x', log.head.g, new Map())
    expect(take(delivery)).toEqual(['1 sse.live {}'])
    delivery.add('b', log.channel('b'), [])
    log.publish('b', '2')
    expect(take(delivery)).toEqual(['2 n 2'])
  })

  it('is taken up at the cursor if it is the same one, read again: nothing comes twice', () => {
    const log = new Log()
    log.publish('a', '1')
    const delivery = log.reader(['a'], 0)
    take(delivery)
    log.publish('a', '2')
    privately(delivery, '3')
    const again = new Log()
    for (const data of ['1', '2', '4']) again.publish('a', data)
    expect(delivery.restart('x', again.head.g, again.read('a'))).toBe('evicted')
    expect(take(delivery)).toEqual([
      'sse.gap {"channels":["a"],"reason":"evicted"}',
      '2 n 2',
      'private 3',
      '3 n 4',
      '3 sse.live {}',
    ])
  })

  it.each([
    [
      'the same one, read again',
      'x',
      ['sse.gap {"channels":["a"],"reason":"evicted"}', '2 n 2', '2~ sse.close {"reason":"done"}'],
    ],
    ['another one', 'y', ['sse.gap {"channels":["a"],"reason":"epoch"}', 'y-0~ sse.close {"reason":"done"}']],
  ])('and is %s lets nothing through that was published after the stream was closed', (_, epoch, said) => {
    const log = new Log()
    log.publish('a', '1')
    const delivery = log.reader(['a'])
    take(delivery)
    log.publish('a', '2')
    delivery.end('done')
    const again = new Log(epoch)
    for (const data of ['1', '2', '"secret"']) again.publish('a', data)
    delivery.restart(epoch, again.head.g, again.read('a'))
    expect(take(delivery)).toEqual(said)
  })

  it('brings a first-time reader nothing from before if it is the same one, read again', () => {
    const log = new Log()
    log.publish('a', '1')
    const delivery = log.newcomer('a')
    const again = new Log()
    for (const data of ['1', '2']) again.publish('a', data)
    delivery.restart('x', again.head.g, again.read('a'))
    expect(take(delivery)).toEqual([
      'sse.gap {"channels":["a"],"reason":"evicted"}',
      '2 n 2',
      '2 sse.live {}',
    ])
  })

  it('stands still, and never goes back, once a channel of a newer log was joined', () => {
    const log = new Log()
    for (const data of ['1', '2']) log.publish('a', data)
    const delivery = log.reader(['a'])
    take(delivery)
    const newer = new Log()
    newer.publish('b', '1')
    delivery.add('b', newer.channel('b'), [])
    log.publish('a', '3')
    expect([take(delivery), delivery.cursor]).toEqual([[], 2])
  })

  it('keeps its cursor while the new copies lag behind it', () => {
    const log = new Log()
    for (const data of ['1', '2']) log.publish('a', data)
    const delivery = log.reader(['a'])
    take(delivery)
    const again = new Log()
    for (const data of ['1', '2', '3']) again.publish('a', data)
    again.head.g = 1
    delivery.restart('x', 3, again.read('a'))
    expect(take(delivery)).toEqual(['sse.gap {"channels":["a"],"reason":"evicted"}'])
    expect(delivery.cursor).toBe(2)
    again.head.g = 3
    expect(take(delivery)).toEqual(['3 n 3', '3 sse.live {}'])
  })
})

describe('what is inserted', () => {
  it('comes after what was published before it, and before what comes later', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    privately(reader, 'first')
    log.publish('a', '1')
    privately(reader, 'second')
    log.publish('a', '2')
    privately(reader, 'third')
    expect(take(reader)).toEqual(['private first', '1 n 1', 'private second', '2 n 2', 'private third'])
    expect(reader.privateBytes).toBe(0)
  })

  it('has no id, and so leaves the one of the reader as it is', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    privately(reader, 'p')
    expect(take(reader)).toContain('private p')
  })

  it('goes with the channel that it belongs to, when that is left before it was taken', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('b', 'old')
    reader.add('b', log.channel('b'), log.channel('b').recent(log.channel('b').positionBefore(1)))
    privately(reader, 'p')
    reader.leave('b')
    expect(take(reader)).toEqual(['private p'])
  })

  it('is taken also when the last channel was left before it', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('a', 'left behind')
    privately(reader, 'p')
    reader.leave('a')
    expect(take(reader)).toEqual(['private p'])
  })
})

describe('a channel that is added later', () => {
  it('starts now: nothing older, and its newest without ids', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('b', 'older')
    log.publish('b', 'newest')
    log.publish('a', '1')
    reader.add('b', log.channel('b'), log.channel('b').recent(log.channel('b').positionBefore(1)))
    log.publish('b', 'next')
    expect(take(reader)).toEqual(['3 n 1', 'n newest', '4 n next'])
  })

  it('is no gap for what it dropped before', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    for (let n = 0; n < 3; n++) log.publish('b', 'dropped', { length: 1 })
    reader.add('b', log.channel('b'), [])
    log.publish('b', 'next')
    expect(take(reader)).toEqual(['4 n next'])
  })
})

describe('the end of a stream', () => {
  it('comes after all that was published before, and lets nothing come after it', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('a', '1')
    reader.end('done')
    expect(reader.ending).toBe(true)
    expect(take(reader)).toEqual(['1 n 1', '1~ sse.close {"reason":"done"}'])
    expect(reader.ended).toBe(true)
    log.publish('a', '2')
    expect(take(reader)).toEqual([])
  })

  it('comes by itself once all channels have ended, with the last reason', () => {
    const log = new Log()
    const reader = log.reader(['a', 'b'])
    take(reader)
    log.say('a', { kind: 'end', reason: 'first' })
    expect(take(reader)).toEqual([])
    log.publish('b', '1')
    log.say('b', { kind: 'end', reason: 'second' })
    expect(take(reader)).toEqual(['2 n 1', '3~ sse.close {"reason":"second"}'])
  })

  it('comes by itself when the channel that kept it open is left', () => {
    const log = new Log()
    const reader = log.reader(['a', 'b'])
    take(reader)
    log.say('a', { kind: 'end', reason: 'over' })
    take(reader)
    reader.leave('b')
    expect(take(reader)).toEqual(['1~ sse.close {"reason":"over"}'])
  })

  it('has a final id also where no log stands behind the stream', () => {
    const delivery = new Delivery(place())
    delivery.end('done')
    expect(take(delivery)).toEqual(['none-0~ sse.close {"reason":"done"}'])
  })
})

describe('a sign of life', () => {
  it('has the position that was reached', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('elsewhere', '1')
    reader.markLive()
    expect(take(reader)).toEqual(['1 sse.live {}'])
  })

  it('comes after whatever is still to be taken, so that its id does not fall back', () => {
    const log = new Log()
    const reader = log.reader(['a'])
    take(reader)
    log.publish('a', '1')
    log.publish('a', '2')
    reader.next(1)
    reader.markLive()
    expect(take(reader)).toEqual(['2 n 2', '2 sse.live {}'])
  })
})

describe('the first words', () => {
  /** One who came back, and stands where the log does. */
  function greeted(log: Log, target?: number): Delivery {
    const delivery = log.reader(['a'], log.head.g, target)
    delivery.open('event: sse.open\ndata: {}\n\n')
    return delivery
  }
  const wire = (delivery: Delivery): string => {
    const framed = delivery.next(LIMIT)?.framed ?? ''
    return (typeof framed === 'string' ? Buffer.from(framed, 'latin1') : framed).toString()
  }

  it('are one chunk where nothing else is due', () => {
    const log = new Log()
    log.publish('a', '1')
    const text = 'event: sse.open\ndata: {}\n\nevent: sse.live\nid: x-1\ndata: {}\n\n'
    const delivery = greeted(log)
    expect(wire(delivery)).toBe(`${text.length.toString(16)}\r\n${text}\r\n`)
    expect(delivery.next(LIMIT)).toBeUndefined()
  })

  it('do not hide what was dropped before it was read', () => {
    const log = new Log()
    const delivery = greeted(log)
    log.channel('a').replace([], 1)
    log.head.g = 1
    expect(take(delivery)).toEqual([
      'sse.open {}',
      'sse.gap {"channels":["a"],"reason":"evicted"}',
      '1 sse.live {}',
    ])
  })

  it('are said together with the end of a channel that is over', () => {
    const log = new Log()
    log.say('a', { kind: 'end', reason: 'over' })
    expect(wire(greeted(log))).toContain('event: sse.close\nid: x-1~\n')
  })

  it('do not say that the stream is live before it is', () => {
    const log = new Log()
    const delivery = greeted(log, 3)
    expect(take(delivery)).toEqual(['sse.open {}'])
    log.head.g = 3
    expect(take(delivery)).toEqual(['3 sse.live {}'])
  })

  it.each(['x', 'y'])('are of the log that is read: %s', (epoch) => {
    expect(wire(greeted(new Log(epoch)))).toContain(`id: ${epoch}-0\n`)
  })

  it('are UTF-8 whatever a log is called', () => {
    expect(wire(greeted(new Log('\u00e9\u010a')))).toContain('id: \u00e9\u010a-0\n')
  })
})
