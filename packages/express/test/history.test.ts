import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEntry, type Entry, type Message } from '../src/entry.ts'
import { History, type Retention } from '../src/history.ts'

const ALL: Retention = { length: 1_000, bytes: 1_000_000, age: 60_000 }

const event = (data = '0'): Message => ({ kind: 'event', event: 'e', data, key: undefined })
const state = (key: string, data = '0'): Message => ({ kind: 'event', event: 's', data, key })
const remove = (key: string): Message => ({ kind: 'remove', event: 's', key })
const END: Message = { kind: 'end', reason: 'done' }

/** A history to which messages are appended one position after the other, each a millisecond after the one before. */
function logOf(messages: readonly Message[], retention: Partial<Retention> = {}, evicted = 0): History {
  const head = { g: evicted }
  const history = new History(head, evicted)
  for (const message of messages) say(history, head, message, { ...ALL, ...retention })
  return history
}

function say(history: History, head: { g: number }, message: Message, retention = ALL): Entry {
  head.g += 1
  const entry = createEntry(message, 'x', head.g, head.g)
  history.append(entry, retention)
  return entry
}

/** The positions that a reader who comes from `g` gets. */
function after(history: History, g: number): number[] {
  const found: number[] = []
  for (let index = history.indexAfter(g); ; index++) {
    const entry = history.at(index)
    if (entry === undefined) return found
    if (!entry.gone) found.push(entry.g)
  }
}

describe('a history', () => {
  it('gives what comes after a position, exclusively', () => {
    const history = logOf([event(), event(), event()])
    expect(after(history, 0)).toEqual([1, 2, 3])
    expect(after(history, 1)).toEqual([2, 3])
    expect(after(history, 3)).toEqual([])
    expect(after(history, 99)).toEqual([])
  })

  it('drops the oldest beyond its length, and remembers the highest position that it dropped', () => {
    const history = logOf([event(), event(), event(), event()], { length: 2 })
    expect(after(history, 0)).toEqual([3, 4])
    expect(history.evicted).toBe(2)
  })

  it('drops the oldest beyond its bytes', () => {
    const one = createEntry(event('123'), 'x', 1, 1).frame.length
    const history = logOf([event('123'), event('123'), event('123')], { bytes: 2 * one })
    expect(after(history, 0)).toEqual([2, 3])
    expect(history.evicted).toBe(1)
    expect(history.bytes).toBe(2 * one)
  })

  it('drops what is older than its age', () => {
    const history = logOf([event(), event(), event()])
    history.expire(3)
    expect(after(history, 0)).toEqual([3])
    expect(history.evicted).toBe(2)
  })

  it('keeps the newest entry until the next one, even if it exceeds every bound: the readers are to see it', () => {
    const history = logOf([event('a long one')], { length: 0, bytes: 0, age: 0 })
    expect(after(history, 0)).toEqual([1])
    expect(history.evicted).toBe(0)
  })

  it('keeps one entry at a time where nothing is to be kept', () => {
    const history = logOf([event(), event()], { length: 0, bytes: 0, age: 0 })
    expect(after(history, 0)).toEqual([2])
    expect(history.evicted).toBe(1)
  })

  it('begins with what is forgotten as evicted, so that a channel created anew does not look complete', () => {
    const history = logOf([event()], {}, 7)
    expect(history.evicted).toBe(7)
    expect(history.last).toBe(8)
  })

  it('says beforehand whether an entry would push others out', () => {
    const history = logOf([event(), event()], { length: 2 })
    const next = createEntry(event(), 'x', 3, 3)
    expect(history.evictedBy(next, { ...ALL, length: 3 })).toBe(0)
    expect(history.evictedBy(next, { ...ALL, length: 2 })).toBe(1)
    expect(history.evictedBy(next, { ...ALL, length: 1 })).toBe(2)
    expect(history.evictedBy(next, { ...ALL, age: 1 })).toBe(1)
    expect(history.evictedBy(next, { ...ALL, bytes: history.bytes })).toBe(1)
    expect(history.evictedBy(next, { ...ALL, bytes: 1 })).toBe(2)
  })

  it('says beforehand no less than what an entry then pushes out', () => {
    const messages = fc.array(fc.record({ key: fc.constantFrom(undefined, 'a', 'b'), size: fc.nat(40) }), {
      minLength: 1,
      maxLength: 30,
    })
    const retentions = fc.record({
      length: fc.integer({ min: 0, max: 12 }),
      bytes: fc.integer({ min: 0, max: 600 }),
      age: fc.nat(20),
    })
    fc.assert(
      fc.property(messages, retentions, fc.nat(20), (said, retention, later) => {
        const head = { g: 0 }
        const history = new History(head)
        for (const { key, size } of said) {
          head.g += 1
          const message: Message = { kind: 'event', event: 'n', data: 'x'.repeat(size), key }
          const entry = createEntry(message, 'x', head.g, head.g)
          const upTo = history.evictedBy(entry, retention)
          const before = Math.max(history.evicted, history.evictedState)
          history.append(entry, retention)
          const after = Math.max(history.evicted, history.evictedState)
          // The entry itself stays, so what it drops came before.
          if (after > before) expect(upTo).toBeGreaterThanOrEqual(after)
        }
        const evicted = history.evicted
        const upTo = history.olderThan(head.g - later)
        history.expire(head.g - later)
        expect(upTo).toBe(history.evicted > evicted ? history.evicted : 0)
      }),
    )
  })

  it('holds no bytes of what it dropped', () => {
    const head = { g: 0 }
    const history = new History(head)
    const entries = Array.from({ length: 5_000 }, () =>
      say(history, head, event('x'.repeat(100)), { ...ALL, length: 10 }),
    )
    expect(history.length).toBe(10)
    expect(entries.filter(({ frame }) => frame.length > 0)).toHaveLength(10)
    expect(history.bytes).toBe(entries.slice(-10).reduce((sum, { frame }) => sum + frame.length, 0))
  })

  it('finds every position in a log full of holes', () => {
    const head = { g: 0 }
    const history = new History(head)
    const kept: number[] = []
    for (let turn = 0; turn < 500; turn++) {
      say(history, head, state('k'))
      if (turn % 5 === 0) kept.push(say(history, head, event()).g)
    }
    for (const g of [0, 1, 7, 100, 333, head.g]) {
      expect(after(history, g).filter((position) => kept.includes(position))).toEqual(
        kept.filter((position) => position > g),
      )
    }
  })
})

describe('state in a history', () => {
  it('is superseded by a newer one of its key, which is no loss', () => {
    const history = logOf([state('a'), state('b'), state('a')])
    expect(after(history, 0)).toEqual([2, 3])
    expect(history.evicted).toBe(0)
  })

  it('is exempt from count and age', () => {
    const history = logOf([state('a'), event(), event(), event()], { length: 1 })
    history.expire(100)
    expect(after(history, 0)).toEqual([1])
    expect(history.evicted).toBe(4)
  })

  it('is dropped for bytes only after everything else, the least recent first', () => {
    const one = createEntry(state('a'), 'x', 1, 1).frame.length
    const history = logOf([state('a'), state('b'), event(), state('c')], { bytes: 2 * one })
    expect(after(history, 0)).toEqual([2, 4])
    expect(history.evicted).toBe(3)
  })

  it('is void once it is removed; the removal is an entry that readers get', () => {
    const history = logOf([state('a'), state('b'), remove('a')])
    expect(after(history, 0)).toEqual([2, 3])
    expect(history.recent(history.positionBefore(0)).map(({ g }) => g)).toEqual([2])
    expect(history.evicted).toBe(0)
  })

  it('that is removed takes no place among the newest', () => {
    const history = logOf([
      event(),
      event(),
      event(),
      state('a'),
      remove('a'),
      event(),
      state('a'),
      remove('a'),
    ])
    expect(history.recent(history.positionBefore(1)).map(({ g }) => g)).toEqual([5, 6, 8])
    expect(history.recent(history.positionBefore(2)).map(({ g }) => g)).toEqual([3, 5, 6, 8])
    expect(history.recent(history.positionBefore(4)).map(({ g }) => g)).toEqual([1, 2, 3, 5, 6, 8])
  })

  it('may come back after its removal', () => {
    const history = logOf([state('a'), remove('a'), state('a')])
    expect(history.recent(history.positionBefore(0)).map(({ g }) => g)).toEqual([3])
  })

  it('does not mix up keys and names that look alike when joined', () => {
    const head = { g: 0 }
    const history = new History(head)
    say(history, head, { kind: 'event', event: 'a', data: '1', key: 'b' })
    say(history, head, { kind: 'event', event: 'ab', data: '2', key: '' })
    say(history, head, { kind: 'event', event: 'end', data: '3', key: '' })
    expect(history.length).toBe(3)
    expect(history.end).toBeUndefined()
  })
})

describe('the count of what is sent after a position', () => {
  const logs: Readonly<Record<string, History>> = {
    'of events': logOf([event(), event(), event()]),
    'of events after others were dropped': logOf(
      Array.from({ length: 9 }, () => event()),
      { length: 4 },
    ),
    'of a log from which all is gone': logOf([state('a'), remove('a'), event()], { length: 1 }),
    'of states among events': logOf([event(), state('a'), event(), state('a'), state('b'), event()]),
    'of states removed': logOf([state('a'), event(), remove('a'), event(), event()], { length: 3 }),
    'of a channel that has ended': logOf([event(), event(), END]),
    'of a log that was compacted': logOf([...Array.from({ length: 99 }, () => event())], { length: 5 }),
  }

  it.each(Object.entries(logs))('is that of a look at each entry: %s', (_, history) => {
    for (let g = 0; g <= history.last + 1; g++) {
      const sent = after(history, g).filter((position) => position !== history.end?.g)
      expect(history.countAfter(g)).toBe(sent.length)
    }
  })
})

describe('recent entries', () => {
  it('are all states and the newest n of the others, in order', () => {
    const history = logOf([state('a'), event(), event(), state('b'), event()])
    expect(history.recent(history.positionBefore(0)).map(({ g }) => g)).toEqual([1, 4])
    expect(history.recent(history.positionBefore(2)).map(({ g }) => g)).toEqual([1, 3, 4, 5])
    expect(history.recent(history.positionBefore(Number.POSITIVE_INFINITY)).map(({ g }) => g)).toEqual([
      1, 2, 3, 4, 5,
    ])
  })

  it('lie beyond the position before them', () => {
    const history = logOf([event(), event(), event()])
    expect(history.positionBefore(0)).toBe(3)
    expect(history.positionBefore(1)).toBe(2)
    expect(history.positionBefore(3)).toBe(0)
    expect(history.positionBefore(99)).toBe(0)
  })
})

describe('the end of a channel', () => {
  it('is an entry of no bytes, exempt from every bound', () => {
    const history = logOf([event(), END], { length: 0, bytes: 0 })
    history.expire(1_000)
    history.shrink(0)
    expect(history.end?.end).toBe('done')
    expect(history.bytes).toBe(0)
  })

  it('lets the channel be forgotten once it is old and nothing else is left', () => {
    const history = logOf([event(), END])
    expect(history.isSpent(1_000)).toBe(false)
    history.expire(1_000)
    expect(history.isSpent(1_000)).toBe(true)
    expect(history.isSpent(1)).toBe(false)
  })
})

describe('merged bytes', () => {
  it('are made once for all who ask for the same range', () => {
    const history = logOf([event('1'), event('2')])
    const first = history.merge(0, 2, 1_000)
    expect(history.merge(0, 2, 1_000).bytes).toBe(first.bytes)
    expect(first.bytes.toString()).toMatch(/data: 1\n\n.*data: 2\n\n$/s)
    expect(first.to).toBe(2)
  })

  it('are never those of another range', () => {
    const history = logOf([event('1'), event('2'), event('3')])
    history.merge(0, 3, 1_000)
    expect(history.merge(1, 3, 1_000).bytes.toString()).not.toContain('data: 1\n')
    expect(history.merge(0, 2, 1_000).bytes.toString()).not.toContain('data: 3\n')
  })

  it('are made anew when an entry in the range is superseded', () => {
    const head = { g: 0 }
    const history = new History(head)
    say(history, head, state('a', '"old"'))
    say(history, head, event())
    history.merge(0, 2, 1_000)
    say(history, head, state('a', '"new"'))
    expect(history.merge(0, 2, 1_000).bytes.toString()).not.toContain('old')
  })

  it('have at least one entry and about the limit, and say how far they reach', () => {
    const history = logOf([event('"1234567890"'), event('"1234567890"'), event()])
    const { to, bytes } = history.merge(0, 3, 1)
    expect(to).toBe(1)
    expect(bytes.toString().match(/data:/g)).toHaveLength(1)
  })
})
