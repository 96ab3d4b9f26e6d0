import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collect, crumbs, cut, utf8 } from './collect.ts'
import { interpret } from './standard.ts'

/** Streams that are grammatical in every place and sensible in none. */
const junk = fc
  .array(
    fc.constantFrom(
      ...['data', 'event', 'id', 'retry', 'Data', 'dat', ':', ': ', ' ', '\n', '\n', '\r', '\r\n', '\n\n'],
      ...['\uFEFF', '\0', 'a', '7', '1234', 'é', '🎉', 'data:', 'data: x\n', 'id: 1\n', 'event: e\n', ':c\n'],
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''))

const runs = { numRuns: 3000 }

describe('the decoder, on any stream', () => {
  it("does what the standard's algorithm does", () => {
    fc.assert(
      fc.property(junk, (stream) => {
        expect(collect([stream])).toEqual(interpret(stream))
      }),
      runs,
    )
  })

  it('does so in any chunks', () => {
    fc.assert(
      fc.property(junk, fc.array(fc.nat()), (stream, positions) => {
        const expected = interpret(stream)
        expect(collect(cut(stream, positions))).toEqual(expected)
        expect(collect(cut(utf8(stream), positions))).toEqual(expected)
        expect(collect(crumbs(utf8(stream)))).toEqual(expected)
      }),
      runs,
    )
  })

  it('never fails, and sees the same in any chunks, on bytes that are no text', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    const nearlyText = fc
      .array(fc.constantFrom(...utf8('data: id\n\r\0é🎉\uFEFF'), 0xff, 0xc3, 0xe2, 0xf0))
      .map((array) => Uint8Array.from(array))
    fc.assert(
      fc.property(fc.oneof(bytes, nearlyText), fc.array(fc.nat()), (stream, positions) => {
        const whole = collect([stream])
        expect(collect(cut(stream, positions))).toEqual(whole)
        expect(collect(crumbs(stream))).toEqual(whole)
      }),
      runs,
    )
  })
})

describe('the decoder and eventsource-parser', () => {
  /**
   * Where eventsource-parser departs from the standard, its input or output is brought back to it, and only there:
   * - it keeps no last event id, so an event has an id only where its own block names one, and a block without data has
   *   none for anyone. Ids are compared where it has one; the rest of them are the standard's algorithm's, above.
   * - it takes a byte order mark for three Latin-1 characters, since a TextDecoder strips the real one.
   * - it waits after a CR at the end of a chunk; so the stream ends with LF.
   */
  function parse(stream: string): { event: string; data: string; id: string | undefined }[] {
    const events: { event: string; data: string; id: string | undefined }[] = []
    const parser = createParser({
      onEvent: ({ event, data, id }) => events.push({ event: event ?? 'message', data, id }),
    })
    parser.feed(stream.replace(/^\uFEFF/, ''))
    return events
  }

  it('see the same events', () => {
    fc.assert(
      fc.property(junk, (start) => {
        const stream = `${start}\n`
        const ours = collect([stream]).events
        const theirs = parse(stream)
        expect(ours.map(({ event, data }) => ({ event, data }))).toEqual(
          theirs.map(({ event, data }) => ({ event, data })),
        )
        expect(ours.map(({ id }, index) => (theirs[index]?.id === undefined ? undefined : id))).toEqual(
          theirs.map(({ id }) => id),
        )
      }),
      runs,
    )
  })
})
