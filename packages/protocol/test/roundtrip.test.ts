import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DecodedEvent, type EventFields, encodeComment, encodeEvent, encodeRetry } from '../src/index.ts'
import { collect, crumbs, cut, type Seen, utf8 } from './collect.ts'

describe('what is encoded', () => {
  type Block = EventFields | { readonly comment: string } | { readonly retry: number }

  const name = fc.string({ unit: 'binary', maxLength: 8 }).map((value) => value.replace(/[\r\n\0]/g, ''))
  const lines = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc
      .array(fc.constantFrom('\r', '\n', '\r\n', 'é', '€', '🎉', ':', ' ', 'data:'), { maxLength: 8 })
      .map((parts) => parts.join('')),
  )
  const optional = fc.option(name, { nil: undefined })
  const event = fc.record({ event: optional, id: optional, data: lines })
  const block: fc.Arbitrary<Block> = fc.oneof(
    { weight: 4, arbitrary: event },
    { weight: 1, arbitrary: fc.record({ comment: lines }) },
    { weight: 1, arbitrary: fc.record({ retry: fc.nat() }) },
  )
  const blocks = fc.array(block, { maxLength: 6 })

  function encode(sent: Block): string {
    if ('comment' in sent) return encodeComment(sent.comment)
    return 'retry' in sent ? encodeRetry(sent.retry) : encodeEvent(sent)
  }
  const stream = (sent: readonly Block[]): string => sent.map(encode).join('')

  function received(sent: readonly Block[]): Seen {
    const seen = {
      events: [] as DecodedEvent[],
      retries: [] as number[],
      comments: [] as string[],
      lastEventId: '',
    }
    for (const one of sent) {
      if ('comment' in one) seen.comments.push(...one.comment.split(/\r\n|\r|\n/))
      else if ('retry' in one) seen.retries.push(one.retry)
      else {
        seen.lastEventId = one.id ?? seen.lastEventId
        const data = one.data.replace(/\r\n?/g, '\n')
        seen.events.push({ event: one.event || 'message', data, id: seen.lastEventId })
      }
    }
    return seen
  }

  it('is decoded unchanged, but for the line ends of data', () => {
    fc.assert(
      fc.property(blocks, (sent) => {
        expect(collect([stream(sent)])).toEqual(received(sent))
      }),
    )
  })

  it('is decoded the same at every single split, as text and as bytes', () => {
    fc.assert(
      fc.property(blocks, (sent) => {
        const text = stream(sent)
        const bytes = utf8(text)
        const expected = received(sent)
        for (let at = 0; at <= text.length; at += 1) expect(collect(cut(text, [at]))).toEqual(expected)
        for (let at = 0; at <= bytes.length; at += 1) expect(collect(cut(bytes, [at]))).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  it('is decoded the same in any chunks, down to one byte', () => {
    fc.assert(
      fc.property(blocks, fc.array(fc.nat()), (sent, positions) => {
        const text = stream(sent)
        const expected = received(sent)
        expect(collect(cut(text, positions))).toEqual(expected)
        expect(collect(cut(utf8(text), positions))).toEqual(expected)
        expect(collect(crumbs(utf8(text)))).toEqual(expected)
      }),
    )
  })
})
