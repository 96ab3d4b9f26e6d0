import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeComment, encodeEvent, encodeRetry } from '../src/index.ts'
import { collect } from './collect.ts'

const field = { code: 'ERR_SSE_FIELD', name: 'RangeError' }

describe('encodeEvent', () => {
  it('writes the fields and ends with a blank line', () => {
    expect(encodeEvent({ event: 'headline', id: 'k3f9-1', data: '{"a":1}' })).toBe(
      'event: headline\nid: k3f9-1\ndata: {"a":1}\n\n',
    )
  })

  it('leaves out what is not given', () => {
    expect(encodeEvent({ data: 'a' })).toBe('data: a\n\n')
    expect(encodeEvent({ event: undefined, id: undefined, data: '' })).toBe('data: \n\n')
  })

  it('resets the last event id by an empty one', () => {
    expect(encodeEvent({ id: '', data: 'a' })).toBe('id: \ndata: a\n\n')
  })

  it.each(['a\nb', 'a\rb', 'a\r\nb'])('makes a data field of each line of %j', (data) => {
    expect(encodeEvent({ data })).toBe('data: a\ndata: b\n\n')
  })

  it('keeps the empty lines of data', () => {
    expect(encodeEvent({ data: '\n\r\r\n' })).toBe('data: \ndata: \ndata: \ndata: \n\n')
  })

  it.each(['\n', '\r', '\r\n', '\0'])('refuses %j in an event or id, where it would forge a field', (end) => {
    for (const value of [end, `a${end}`, `${end}a`, `a${end}data: forged`]) {
      expect(() => encodeEvent({ event: value, data: '' })).toThrow(expect.objectContaining(field))
      expect(() => encodeEvent({ id: value, data: '' })).toThrow(expect.objectContaining(field))
    }
  })
})

describe('encodeComment', () => {
  it('makes a comment of each line', () => {
    expect(encodeComment('a')).toBe(': a\n\n')
    expect(encodeComment('a\r\nb\rc\n')).toBe(': a\n: b\n: c\n: \n\n')
  })
})

describe('encodeRetry', () => {
  it('writes milliseconds', () => {
    expect(encodeRetry(0)).toBe('retry: 0\n\n')
    expect(encodeRetry(2137)).toBe('retry: 2137\n\n')
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e21])(
    'refuses %d, which has other characters than digits',
    (n) => {
      expect(() => encodeRetry(n)).toThrow(expect.objectContaining(field))
    },
  )
})

describe('whatever stands in a field', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          '\r',
          '\n',
          '\r\n',
          '\0',
          ':',
          ' ',
          'data',
          'event',
          'id',
          'retry',
          '\uFEFF',
          'a',
          '7',
        ),
      )
      .map((parts) => parts.join('')),
  )

  it('forges no event, field or comment: the reader has what was sent, or the sender an error', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (event, id, data, comment) => {
        let encoded: string
        try {
          encoded = encodeEvent({ event, id, data })
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          expect(`${event}${id}`).toMatch(/[\r\n\0]/)
          return
        }
        const lines = comment.split(/\r\n|\r|\n/)
        const sent = { event: event || 'message', id, data: data.replace(/\r\n|\r/g, '\n') }
        const stream = [
          encodeComment(comment),
          encoded,
          encodeRetry(7),
          encodeComment(comment),
          encodeEvent({ data: 'end' }),
        ]
        expect(collect([stream.join('')])).toEqual({
          events: [sent, { event: 'message', id, data: 'end' }],
          retries: [7],
          comments: [...lines, ...lines],
          lastEventId: id,
        })
      }),
      { numRuns: 2000 },
    )
  })
})
