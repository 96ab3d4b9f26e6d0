import { describe, expect, it } from 'vitest'
import { type Heard, judge, Log, type Losses, type Published } from './oracle.ts'

/** Published in this order, from position 1: `n` is the position. */
const published: Published[] = [
  { n: 1, channel: 'a' },
  { n: 2, channel: 'b' },
  { n: 3, channel: 'a', key: 'x' },
  { n: 4, channel: 'a' },
  { n: 5, channel: 'a', key: 'x' },
  { n: 6, channel: 'b' },
  { n: 7, channel: 'a' },
].map((entry) => ({ ...entry, id: `e-${entry.n}` }))

const begun: Heard = { kind: 'cursor', id: 'e-0' }
const event = (n: number, id = `e-${n}`): Heard => ({
  kind: 'event',
  n,
  id,
  channel: published.find((entry) => entry.n === n)?.channel ?? 'a',
})
const live = (id: string): Heard => ({ kind: 'cursor', id })
/** Heard when as much was published. */
const gapAt = (n: number, reason: string, ...channels: string[]): Heard => ({
  kind: 'resync',
  reason,
  channels,
  n,
})
const gap = (reason: string, ...channels: string[]): Heard => gapAt(8, reason, ...channels)

function violations(story: readonly Heard[], losses: Partial<Losses> = {}, log = published): string[] {
  const known: Losses = { evicts: () => true, beginsAnew: true, ...losses }
  return judge({ channels: ['a', 'b'], story }, new Log(log), known).map(({ at, what }) => `${at}: ${what}`)
}

describe('the oracle is content', () => {
  it('with all events in their order', () => {
    expect(violations([begun, ...[1, 2, 3, 4, 5, 6, 7].map((n) => event(n)), live('e-7')])).toEqual([])
  })

  it('with a state that a newer one of its key supersedes', () => {
    expect(violations([begun, ...[1, 2, 4, 5, 6, 7].map((n) => event(n))])).toEqual([])
  })

  it('with what a new reader begins with, and all that follows its first cursor', () => {
    expect(violations([event(5), live('e-6'), event(7)])).toEqual([])
  })

  it('with a gap before what is newer, also of a reader that was new', () => {
    expect(
      violations([begun, gap('evicted', 'a'), event(2), event(4), event(5), event(6), event(7)]),
    ).toEqual([])
  })

  it('with a gap that reaches beyond the cursor after it', () => {
    expect(violations([begun, gap('evicted', 'a'), event(2), live('e-3'), event(5)])).toEqual([])
  })

  it('with a log that begins anew after a gap that says so', () => {
    const log = [...published, { n: 8, channel: 'a', id: 'f-1' }]
    expect(
      violations([begun, event(1), gap('epoch', 'a', 'b'), event(8, 'f-1'), live('f-1')], {}, log),
    ).toEqual([])
  })

  it('with an event whose publish was never acknowledged, and did not take place', () => {
    const log = [...published, { n: 8, channel: 'a' }]
    expect(violations([begun, ...[1, 2, 3, 4, 5, 6, 7].map((n) => event(n))], {}, log)).toEqual([])
  })
})

describe('the oracle notices', () => {
  it('a lost event, at the next event of its channel', () => {
    expect(violations([begun, event(1), event(2), event(5)])).toEqual(['3: lost in silence: a #4 e-4'])
  })

  it('a lost event, at an event of another channel', () => {
    expect(violations([begun, event(1), event(2), event(6), live('e-6')])).toEqual([
      '3: lost in silence: a #4 e-4',
      '3: lost in silence: a #5 e-5',
    ])
  })

  it('a lost event that only a cursor has passed', () => {
    expect(violations([begun, event(1), live('e-2')])).toEqual(['2: lost in silence: b #2 e-2'])
  })

  it('the newest state of a key if that is lost', () => {
    expect(violations([begun, event(1), event(2), event(4), event(6)])).toEqual([
      '4: lost in silence: a #5 e-5',
    ])
  })

  it('a doubled event, under its id or another one', () => {
    expect(violations([begun, event(1), event(1)])).toEqual([
      '2: twice: a #1 e-1',
      '2: out of order: a #1 e-1',
    ])
    expect(violations([begun, event(1), event(2), event(1, 'e-3')])).toEqual([
      '3: under another id than e-1: a #1 e-3',
      '3: twice: a #1 e-3',
    ])
  })

  it('a swapped pair of events', () => {
    expect(violations([begun, event(2), event(1)])).toEqual(['2: out of order: a #1 e-1'])
  })

  it('a gap that is missing, that comes too late, or names another channel', () => {
    const lost = 'lost in silence: a #4 e-4'
    expect(violations([begun, event(1), event(2), event(5), gap('evicted', 'a')])).toEqual([`3: ${lost}`])
    expect(violations([begun, event(1), event(2), gap('evicted', 'b'), event(5)])).toEqual([`4: ${lost}`])
  })

  it('a second loss after a gap', () => {
    expect(violations([begun, gap('evicted', 'a'), event(1), event(2), event(5)])).toEqual([
      '4: lost in silence: a #4 e-4',
    ])
  })

  it('a loss that is younger than the gap before it', () => {
    expect(violations([begun, gapAt(4, 'evicted', 'a'), event(2), live('e-3'), event(5)])).toEqual([
      '4: lost in silence: a #4 e-4',
    ])
  })

  it('another log without a gap', () => {
    const log = [...published, { n: 8, channel: 'a', id: 'f-1' }]
    expect(violations([begun, event(1), event(8, 'f-1')], {}, log)).toEqual([
      '2: another log in silence: f-1 after e',
    ])
  })

  it('a cursor that goes back', () => {
    expect(violations([begun, event(1), event(2), live('e-1')])).toEqual(['3: a cursor that goes back: e-1'])
  })

  it('an event of a foreign channel, and one that nobody published', () => {
    const foreign: Heard = { kind: 'event', n: 1, id: 'e-1', channel: 'c' }
    expect(violations([begun, foreign])).toEqual(['1: of no channel of this reader: c #1 e-1'])
    expect(violations([event(99, 'e-9')])).toEqual(['0: of no channel of this reader: a #99 e-9'])
  })

  it('a gap where nothing can be missing', () => {
    expect(violations([begun, gap('evicted', 'a')], { evicts: () => false })).toEqual([
      '1: a gap where nothing was dropped: a',
    ])
    expect(violations([begun, gap('epoch')], { beginsAnew: false })).toEqual([
      '1: a gap where the log goes on',
    ])
  })
})
