import { describe, expect, it } from 'vitest'
import { createDecoder } from '../src/index.ts'
import { collect } from './collect.ts'

const overflow = RangeError

describe('the cap', () => {
  it('takes an event up to it, and any number of events', () => {
    const event = `data:${'a'.repeat(95)}\n\n`
    expect(collect([event.repeat(1000)], { maxLength: 100 }).events).toHaveLength(1000)
    expect(() => collect([`data:${'a'.repeat(96)}\n\n`], { maxLength: 100 })).toThrow(overflow)
  })

  it('ends a line that never ends', () => {
    const decoder = createDecoder({ onEvent: () => {}, maxLength: 100 })
    decoder.feed('a'.repeat(100))
    expect(() => decoder.feed('a')).toThrow(overflow)
  })

  it('ends an event that never ends, though its lines do', () => {
    let lines = 0
    const decoder = createDecoder({ onEvent: () => {}, maxLength: 1000 })
    expect(() => {
      for (; lines < 1000; lines += 1) decoder.feed('data: a\n')
    }).toThrow(overflow)
    expect(lines).toBeGreaterThan(400)
    expect(lines).toBeLessThan(501)
  })

  it('holds for comments and unknown fields as well', () => {
    expect(() => collect([`:${'a'.repeat(100)}\n`], { maxLength: 100 })).toThrow(overflow)
    expect(() => collect([`foo: ${'a'.repeat(100)}\n`], { maxLength: 100 })).toThrow(overflow)
  })

  it('is final: the rest of what was cut off passes for no event', () => {
    const seen: unknown[] = []
    const decoder = createDecoder({ onEvent: (event) => seen.push(event), maxLength: 10 })
    expect(() => decoder.feed('data: 1234567890')).toThrow(overflow)
    expect(() => decoder.feed('\ndata: x\n\n')).toThrow(overflow)
    expect(seen).toEqual([])
  })

  it('is 16 Mi code units by default', () => {
    const decoder = createDecoder({ onEvent: () => {} })
    decoder.feed('a'.repeat(16 * 1024 * 1024))
    expect(() => decoder.feed('a')).toThrow(overflow)
  })
})

describe('time', () => {
  const RATIO = 16

  /** How long the chunks take to decode a number of times, in milliseconds. */
  function duration(chunks: readonly string[], times: number): number {
    const start = performance.now()
    for (let time = 0; time < times; time += 1) {
      const decoder = createDecoder({ onEvent: () => {} })
      for (const chunk of chunks) decoder.feed(chunk)
    }
    return performance.now() - start
  }

  const streams: Record<string, (length: number) => string[]> = {
    'one line in small chunks': (length) => [
      'data: ',
      ...Array.from({ length: length / 8 }, () => '12345678'),
      '\n\n',
    ],
    'many lines of data': (length) => [`${'data: a\n'.repeat(length / 8)}\n`],
    'many CR and a far LF': (length) => [`${'data\r'.repeat(length / 5)}\n`],
    'many LF and a far CR': (length) => [`${'data\n\n'.repeat(length / 6)}\r`],
    'many small events in one chunk': (length) => ['data: a\n\n'.repeat(length / 9)],
  }

  it.each(Object.entries(streams))('grows in step with the stream: %s', (_, make) => {
    const long = make(RATIO << 16)
    const short = make(1 << 16)
    // One long stream is as much work as so many short ones; were it quadratic, it would be 16 times as much. The best of
    // some runs counts, since a busy machine only ever makes one of them slower.
    const best = Math.min(...Array.from({ length: 8 }, () => duration(long, 1) / duration(short, RATIO)))
    expect(best).toBeLessThan(RATIO / 4)
  })
})
