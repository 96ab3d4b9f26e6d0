import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admit } from '../src/admission.ts'
import { createEntry, type Message } from '../src/entry.ts'
import { History, type Retention } from '../src/history.ts'
import type { Membership } from '../src/membership.ts'

const ALL: Retention = { length: 1_000, bytes: 1_000_000, age: 60_000 }
const NO_LIMITS = { replayEvents: 10_000, replayBytes: 1_000_000 }

interface Said {
  readonly channel: string
  readonly key?: string
}

/** The reading of a log in which these were said one after the other. */
function readingOf(said: readonly Said[], channels: readonly string[], retention: Partial<Retention> = {}) {
  const head = { g: 0 }
  const histories = new Map(channels.map((name) => [name, new History(head)]))
  for (const { channel, key } of said) {
    head.g += 1
    const message: Message = { kind: 'event', event: 'n', data: '0', key }
    histories.get(channel)?.append(createEntry(message, 'x', head.g, 0), { ...ALL, ...retention })
  }
  return { epoch: 'x', head: head.g, histories }
}

const of = (members: readonly Membership[], name: string): Membership | undefined =>
  members.find(({ channel }) => channel === name)

const a: Said = { channel: 'a' }
const b: Said = { channel: 'b' }

describe('a reader with a position that the broker has lost', () => {
  it('is told, as of one that this log never gave, and gets all that is left', () => {
    const reading = { ...readingOf([a, a, a], ['a']), lost: true }
    const { cursor, gaps, members, resumed } = admit(reading, 'x-2', 0, NO_LIMITS)
    expect({ cursor, gaps, resumed }).toEqual({
      cursor: 0,
      gaps: [{ channels: ['a'], reason: 'unknown' }],
      resumed: false,
    })
    expect(of(members, 'a')).toMatchObject({ since: 0 })
  })

  it('joins channels that are added as a first-time reader does', () => {
    const reading = { ...readingOf([a, a, a], ['a']), lost: true }
    const { cursor, gaps, members } = admit(reading, undefined, 0, NO_LIMITS)
    expect({ cursor, gaps }).toEqual({ cursor: 3, gaps: [] })
    expect(of(members, 'a')).toMatchObject({ since: 3 })
  })
})

describe('a first-time reader', () => {
  it('begins at the head, and nothing is missing', () => {
    const { cursor, gaps, members, resumed } = admit(readingOf([a, a], ['a']), undefined, 0, NO_LIMITS)
    expect({ cursor, gaps, resumed }).toEqual({ cursor: 2, gaps: [], resumed: false })
    expect(of(members, 'a')).toMatchObject({ since: 2 })
  })

  it('begins before the states, which it is due', () => {
    const reading = readingOf([a, { channel: 'a', key: 'k' }, a], ['a'])
    const { cursor, members } = admit(reading, undefined, 0, NO_LIMITS)
    expect(cursor).toBe(1)
    expect(of(members, 'a')).toMatchObject({ since: 3, floor: 0 })
  })

  it('begins with last before the newest of each channel', () => {
    const { cursor, members } = admit(readingOf([a, b, a, b, a], ['a', 'b']), undefined, 1, NO_LIMITS)
    expect(cursor).toBe(2)
    expect(of(members, 'a')).toMatchObject({ since: 3 })
    expect(of(members, 'b')).toMatchObject({ since: 2 })
  })

  it('who asks for all is told which channels no longer have it', () => {
    const reading = readingOf([a, a, b], ['a', 'b'], { length: 1 })
    expect(admit(reading, undefined, Number.POSITIVE_INFINITY, NO_LIMITS).gaps).toEqual([
      { channels: ['a'], reason: 'evicted' },
    ])
    expect(admit(reading, undefined, 5, NO_LIMITS).gaps).toEqual([])
  })
})

describe('a reader with a cursor', () => {
  it('of this log is due what comes after it', () => {
    const { cursor, gaps, members, resumed } = admit(readingOf([a, b, a], ['a', 'b']), 'x-1', 0, NO_LIMITS)
    expect({ cursor, gaps, resumed }).toEqual({ cursor: 1, gaps: [], resumed: true })
    for (const name of ['a', 'b']) expect(of(members, name)).toMatchObject({ since: 1, floor: 1, covered: 0 })
  })

  it('of this log gets no more for asking for the last ones', () => {
    const { cursor } = admit(readingOf([a, a, a], ['a']), 'x-2', 3, NO_LIMITS)
    expect(cursor).toBe(2)
  })

  it.each([
    ['y-1', 'epoch'],
    ['x-z', 'unknown'],
    ['garbage', 'unknown'],
    ['', 'unknown'],
  ])('of another log (%s) is due all that is retained, after a gap for all: %s', (lastEventId, reason) => {
    const { cursor, gaps, members, resumed } = admit(
      readingOf([a, a, b], ['a', 'b'], { length: 1 }),
      lastEventId,
      0,
      NO_LIMITS,
    )
    expect({ cursor, resumed }).toEqual({ cursor: 0, resumed: false })
    expect(gaps).toEqual([{ channels: ['a', 'b'], reason }])
    expect(of(members, 'a')).toMatchObject({ since: 0, covered: 1 })
  })
})

describe('limits of a replay', () => {
  it('cut it down to the newest over all channels, and name those that lost by it', () => {
    const reading = readingOf([a, a, b, b, b], ['a', 'b'])
    const { gaps, members } = admit(reading, 'x-0', 0, { ...NO_LIMITS, replayEvents: 3 })
    expect(gaps).toEqual([{ channels: ['a'], reason: 'evicted' }])
    expect(of(members, 'a')).toMatchObject({ since: 2 })
    expect(of(members, 'b')).toMatchObject({ since: 2 })
  })

  it('leave the newest of however many channels, in whatever order these were spoken on', () => {
    const channels = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const said = fc.array(fc.constantFrom(...channels), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(said, fc.nat(40), (said, replayEvents) => {
        const reading = readingOf(
          said.map((channel) => ({ channel })),
          channels,
        )
        const cut = Math.max(said.length - replayEvents, 0)
        const { gaps, members } = admit(reading, 'x-0', 0, { ...NO_LIMITS, replayEvents })
        expect(members.map(({ since }) => since)).toEqual(channels.map(() => cut))
        expect(new Set(gaps.flatMap(({ channels }) => channels))).toEqual(new Set(said.slice(0, cut)))
      }),
    )
  })

  it('count bytes too, and one event of more than all of them leaves none', () => {
    const reading = readingOf([a, a], ['a'])
    const { gaps, members } = admit(reading, 'x-0', 0, { ...NO_LIMITS, replayBytes: 1 })
    expect(gaps).toEqual([{ channels: ['a'], reason: 'evicted' }])
    expect(of(members, 'a')).toMatchObject({ since: 2 })
  })

  it('leave states alone', () => {
    const reading = readingOf([{ channel: 'a', key: 'k' }, a, a], ['a'])
    const { members } = admit(reading, 'x-0', 0, { ...NO_LIMITS, replayEvents: 1 })
    expect(of(members, 'a')).toMatchObject({ since: 2, floor: 0 })
  })

  it('are no gap where they are kept', () => {
    expect(admit(readingOf([a, a], ['a']), 'x-0', 0, { ...NO_LIMITS, replayEvents: 2 }).gaps).toEqual([])
  })
})
