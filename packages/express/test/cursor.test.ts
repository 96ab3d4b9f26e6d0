import { assert, constantFrom, nat, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEpoch, formatCursor, judgeCursor, parseCursor } from '../src/cursor.ts'

describe('a cursor', () => {
  it('is read as it was written', () => {
    const position = nat({ max: Number.MAX_SAFE_INTEGER })
    assert(
      property(position, constantFrom(true, false), (g, final) => {
        expect(parseCursor(formatCursor('k3f9a2c1', g, final))).toEqual({ epoch: 'k3f9a2c1', g, final })
      }),
    )
  })

  it('has only characters that need no preflight, and at most 128 of them', () => {
    const longest = formatCursor(
      createEpoch(8.64e15, () => 0.999999),
      Number.MAX_SAFE_INTEGER,
      true,
    )
    expect(longest).toMatch(/^[A-Za-z0-9._~-]{1,128}$/)
    expect(parseCursor(longest)).toBeDefined()
  })

  it('orders by number, not by text: 9 comes before 12', () => {
    expect(parseCursor(formatCursor('e', 9))?.g).toBeLessThan(parseCursor(formatCursor('e', 12))?.g ?? 0)
  })

  it.each([
    ['empty', ''],
    ['no position', 'abc-'],
    ['no epoch', '-12'],
    ['a path', '../../etc/passwd'],
    ['a script', '<script>alert(1)</script>'],
    ['a line end', 'abc-1\n'],
    ['NUL', 'abc-1\0'],
    ['binary', '\xff\xfe-\x01'],
    ['upper case', 'ABC-1Z'],
    ['leading zeros, a second name of one position', 'abc-001'],
    ['a position beyond the safe integers', 'abc-zzzzzzzzzzz'],
    ['a number of another alphabet', 'abc-१२'],
    ['two marks', 'abc-1~~'],
    ['an epoch too long', `${'a'.repeat(33)}-1`],
  ])('is hostile input: %s is none', (_, text) => {
    expect(parseCursor(text)).toBeUndefined()
  })

  it('is hostile input: 64 MB are judged as fast as a few bytes', () => {
    const huge = 'a'.repeat(64 * 1024 * 1024)
    const began = performance.now()
    expect(parseCursor(huge)).toBeUndefined()
    expect(performance.now() - began).toBeLessThan(50)
  })

  it('is hostile input: any text at all is a cursor or none, and never throws', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 200 }), (text) => {
        const cursor = parseCursor(text)
        if (cursor !== undefined) expect(formatCursor(cursor.epoch, cursor.g, cursor.final)).toBe(text)
      }),
    )
  })
})

describe('judging a cursor', () => {
  it('takes a reader without one for a new one', () => {
    expect(judgeCursor(undefined, 'here', 5)).toEqual({ kind: 'fresh' })
  })

  it('resumes within this log, up to its head', () => {
    expect(judgeCursor('here-3', 'here', 5)).toEqual({ kind: 'resumed', g: 3 })
    expect(judgeCursor('here-5', 'here', 5)).toEqual({ kind: 'resumed', g: 5 })
    expect(judgeCursor('here-0', 'here', 5)).toEqual({ kind: 'resumed', g: 0 })
  })

  it('is lost in another epoch, whatever the position', () => {
    expect(judgeCursor('there-3', 'here', 5)).toEqual({ kind: 'lost', reason: 'epoch' })
  })

  it('is lost beyond the head and on garbage', () => {
    expect(judgeCursor('here-6', 'here', 5)).toEqual({ kind: 'lost', reason: 'unknown' })
    expect(judgeCursor('1700000000000', 'here', 5)).toEqual({ kind: 'lost', reason: 'unknown' })
  })
})

describe('an epoch', () => {
  it('differs between two logs that begin in the same millisecond', () => {
    const epochs = new Set(Array.from({ length: 100 }, () => createEpoch(1_700_000_000_000, Math.random)))
    expect(epochs.size).toBe(100)
  })
})
