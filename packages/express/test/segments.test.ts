import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SLICE } from '../src/chunk.ts'
import { createEntry, type Entry, type Message } from '../src/entry.ts'
import { History, type Retention } from '../src/history.ts'

const EVERYTHING: Retention = { length: 1e9, bytes: 1e9, age: 1e9 }

const event = (size: number): Message => ({
  kind: 'event',
  event: 'e',
  data: 'x'.repeat(size),
  key: undefined,
})
const state = (key: string, size: number): Message => ({
  kind: 'event',
  event: 's',
  data: 'x'.repeat(size),
  key,
})

/** A history, and beside it each entry's bytes as they were made. */
class Log {
  readonly head = { g: 0 }
  readonly history = new History(this.head)
  readonly made: { readonly entry: Entry; readonly bytes: Buffer }[] = []

  say(message: Message, retention: Retention = EVERYTHING): Entry {
    const entry = this.#make(message)
    this.history.append(entry, retention)
    return entry
  }

  /** Takes another copy of the log: every second entry of what there is, and as many new ones. */
  replace(size: number): void {
    const kept = this.#live().filter((_, index) => index % 2 === 0)
    const copies = kept.map(({ bytes, entry }) => ({ entry: { ...entry, frame: Buffer.from(bytes) }, bytes }))
    this.made.length = 0
    this.made.push(...copies)
    const added = copies.map(() => this.#make(event(size)))
    this.history.replace([...copies.map(({ entry }) => entry), ...added], 0)
  }

  /** What a reader is due, put together one by one. */
  due(from: number, to: number): Buffer {
    const due = this.#live().filter(({ entry }) => entry.g > from && entry.g <= to)
    return Buffer.concat(due.map(({ bytes }) => bytes))
  }

  get bytes(): number {
    return this.#live().reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** The memory that its small blocks keep from being freed. */
  get memory(): number {
    const small = this.#live().filter(({ entry }) => entry.frame.length <= 1024)
    const buffers = new Set(small.map(({ entry }) => entry.frame.buffer))
    return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  #make(message: Message): Entry {
    this.head.g += 1
    const entry = createEntry(message, 'x', this.head.g, this.head.g)
    this.made.push({ entry, bytes: Buffer.from(entry.frame) })
    return entry
  }

  #live(): typeof this.made {
    return this.made.filter(({ entry }) => !entry.gone)
  }
}

/** All that a reader gets from a position on, slice by slice, each of which is checked. */
function read({ head, history }: Log, from: number, limit: number): Buffer {
  const slices: Buffer[] = []
  let short = false
  for (let at = from; at < head.g; ) {
    const { bytes, framed, more, to } = history.merge(at, head.g, limit)
    expect(to).toBeGreaterThan(at)
    expect(more).toBe(to < head.g)
    // Only what would be copied for it is left out.
    if (short) expect(bytes.length).toBeGreaterThanOrEqual(SLICE)
    short = more && bytes.length < limit
    expect(bytes.length).toBeLessThanOrEqual(limit + SLICE + 1024 + 3_100)
    if (bytes.length > 0) {
      expect(
        framed.equals(
          Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]),
        ),
      ).toBe(true)
    }
    slices.push(bytes)
    at = to
  }
  return Buffer.concat(slices)
}

const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 300 }) },
  fc.integer({ min: 0, max: 3_000 }),
)
const key = fc.constantFrom('a', 'b', 'c')
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('burst' as const),
      count: fc.integer({ min: 1, max: 400 }),
      size,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mix' as const),
      count: fc.integer({ min: 1, max: 60 }),
      sizes: fc.array(size, { minLength: 1, maxLength: 4 }),
      key,
    }),
  },
  fc.record({ kind: fc.constant('state' as const), key, size }),
  fc.record({ kind: fc.constant('remove' as const), key }),
  fc.record({ kind: fc.constant('expire' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('shrink' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('replace' as const), size }),
)
const retention = fc.record({
  length: fc.constantFrom(10, 300, 1e9),
  bytes: fc.constantFrom(20_000, 100_000, 1e9),
  age: fc.constant(1e9),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function take(log: Log, step: Step, retention: Retention): void {
  const { head, history } = log
  if (step.kind === 'burst') for (let i = 0; i < step.count; i++) log.say(event(step.size), retention)
  else if (step.kind === 'mix') {
    for (let i = 0; i < step.count; i++) {
      for (const size of step.sizes) log.say(event(size), retention)
      log.say(state(step.key, i), retention)
    }
  } else if (step.kind === 'state') log.say(state(step.key, step.size), retention)
  else if (step.kind === 'remove') log.say({ kind: 'remove', event: 's', key: step.key }, retention)
  else if (step.kind === 'expire') history.expire(head.g * step.share)
  else if (step.kind === 'shrink') history.shrink(history.bytes * step.share)
  else log.replace(step.size)
}

describe('a log in segments', () => {
  it('gives every reader the very bytes of what is left, whatever became of the rest', () => {
    const positions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 2 })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        retention,
        positions,
        fc.constantFrom(1, 5_000, SLICE),
        (steps, retention, shares, limit) => {
          const log = new Log()
          for (const step of steps) {
            take(log, step, retention)
            const { head, history } = log
            expect(history.bytes).toBe(log.bytes)
            expect(log.memory).toBeLessThanOrEqual(
              4 * history.bytes + Math.min(4 * history.bytes, SLICE + 1100),
            )
            for (const share of [0, ...shares]) {
              const from = Math.floor(head.g * share)
              expect(read(log, from, limit).equals(log.due(from, head.g))).toBe(true)
              const bound = Math.floor(head.g * Math.max(...shares))
              if (from >= bound) continue
              const { bytes, to } = history.merge(from, bound, SLICE)
              expect(to).toBeLessThanOrEqual(bound)
              expect(bytes.equals(log.due(from, to))).toBe(true)
            }
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('gives readers who come from different positions the same memory, but for their first and their last slice', () => {
    const log = new Log()
    for (let i = 0; i < 5_000; i++) log.say(event(100))
    const slices = (from: number): Buffer[] => {
      const found: Buffer[] = []
      for (let at = from; at < log.head.g; ) {
        const { framed, to } = log.history.merge(at, log.head.g, SLICE)
        found.push(framed)
        at = to
      }
      return found
    }
    const [, ...one] = slices(2_000)
    const [, ...other] = slices(2_001)
    expect(one.length).toBeGreaterThan(3)
    one.pop()
    other.pop()
    expect(one.map(({ buffer }) => buffer)).toEqual(other.map(({ buffer }) => buffer))
    for (const [index, { buffer, byteOffset }] of one.entries()) {
      expect(other[index]?.buffer).toBe(buffer)
      expect(other[index]?.byteOffset).toBe(byteOffset)
    }
  })

  it('copies nothing into a slice that is one as it stands, and says that there is more', () => {
    const log = new Log()
    for (let i = 0; i < 5_000; i++) log.say(event(100))
    const first = log.history.merge(2_500, log.head.g, SLICE)
    expect(first.more).toBe(true)
    expect(first.bytes.length).toBeLessThan(SLICE)
    const second = log.history.merge(first.to, log.head.g, SLICE)
    expect(second.bytes.length).toBeGreaterThanOrEqual(SLICE)
    const at = log.history.at(log.history.indexAfter(first.to))
    expect(second.framed.buffer).toBe(at?.frame.buffer)
  })

  it('does not change bytes that a slow reader still has to be sent', () => {
    const log = new Log()
    for (let i = 0; i < 3_000; i++) log.say(event(100))
    const { bytes, framed } = log.history.merge(0, log.head.g, SLICE)
    const before = Buffer.from(framed)
    log.history.expire(log.head.g)
    for (let i = 0; i < 3_000; i++) log.say(event(100))
    expect(framed.equals(before)).toBe(true)
    expect(bytes.length).toBeGreaterThanOrEqual(SLICE)
  })

  it('holds no more memory than its blocks while it is small: none of the pool, of which each would keep 8 KB', () => {
    const log = new Log()
    for (let i = 0; i < 20; i++) log.say(state('a', 100))
    for (let i = 0; i < 20; i++) log.say(event(100))
    expect(log.memory).toBe(log.bytes)
  })

  it('lets go of a segment of which a single state is left', () => {
    const log = new Log()
    for (let i = 0; i < 3_000; i++) log.say(event(100))
    const only = log.say(state('a', 100))
    for (let i = 0; i < 3_000; i++) log.say(event(100))
    expect(only.frame.buffer.byteLength).toBeGreaterThan(SLICE)
    log.history.expire(log.head.g)
    expect(log.memory).toBe(log.bytes)
    expect(log.history.length).toBe(2)
    expect(read(log, 0, SLICE).equals(log.due(0, log.head.g))).toBe(true)
  })

  it('lets go of a segment that was sparse before it was full', () => {
    const log = new Log()
    for (let i = 0; i < 3_000; i++) log.say(event(100))
    const say = (): ArrayBufferLike => log.say(state('a', 100)).frame.buffer
    /** How many times the state is said until it is said in another segment. */
    const fill = (): number => {
      const buffer = say()
      let count = 1
      while (say() === buffer) count += 1
      return count
    }
    fill()
    const room = fill() + 1
    for (let i = 1; i < room; i++) say()
    // The next one opens a segment, and nothing is ever dropped from the one before.
    for (let i = 0; i < 3_000; i++) log.say(event(100))
    log.history.expire(log.head.g)
    expect(log.memory).toBe(log.bytes)
  })
})
