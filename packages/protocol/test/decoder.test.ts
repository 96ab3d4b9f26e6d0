import { describe, expect, it } from 'vitest'
import { createDecoder } from '../src/index.ts'
import { collect, crumbs, cut, utf8 } from './collect.ts'

const data = (...chunks: string[]): string[] => collect(chunks).events.map((event) => event.data)

describe('a stream, by the standard', () => {
  it('has lines that end with CRLF, LF or CR', () => {
    expect(data('data: a\n\n')).toEqual(['a'])
    expect(data('data: a\r\r')).toEqual(['a'])
    expect(data('data: a\r\n\r\n')).toEqual(['a'])
    expect(data('data: a\rdata: b\ndata: c\r\n\r')).toEqual(['a\nb\nc'])
  })

  it('may begin with one byte order mark, which is ignored', () => {
    expect(data('\uFEFFdata: a\n\n')).toEqual(['a'])
    expect(collect(crumbs(utf8('\uFEFFdata: a\n\n'))).events).toHaveLength(1)
    expect(data('\uFEFF\uFEFFdata: a\n\n')).toEqual([])
    expect(data('data: a\n\n\uFEFFdata: b\n\ndata: \uFEFFc\n\n')).toEqual(['a', '\uFEFFc'])
  })

  it('has the examples of the standard', () => {
    expect(data('data: YHOO\ndata: +2\ndata: 10\n\n')).toEqual(['YHOO\n+2\n10'])
    expect(
      collect([
        ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
      ]),
    ).toMatchObject({
      comments: ['test stream'],
      events: [
        { data: 'first event', id: '1' },
        { data: 'second event', id: '' },
        { data: ' third event', id: '' },
      ],
    })
    expect(data('data\n\ndata\ndata\n\ndata:')).toEqual(['', '\n'])
    expect(data('data:test\n\ndata: test\n\n')).toEqual(['test', 'test'])
  })

  it('drops an event that is not complete when the stream ends', () => {
    expect(data('data: a\n\ndata: b\n')).toEqual(['a'])
    expect(data('data: a\n\ndata: b\n\n'.slice(0, -1))).toEqual(['a'])
  })
})

describe('a line, by the standard', () => {
  it('is a comment where it begins with a colon', () => {
    expect(collect([':\n: a\n:b:c\n:  d\n\n'])).toEqual({
      comments: ['', 'a', 'b:c', ' d'],
      events: [],
      retries: [],
      lastEventId: '',
    })
  })

  it('loses one space after the colon, and no more', () => {
    expect(data('data:a\n\n', 'data: a\n\n', 'data:  a\n\n', 'data:\ta\n\n')).toEqual(['a', 'a', ' a', '\ta'])
  })

  it('has all after the first colon as its value', () => {
    expect(data('data: a:b: c\n\n')).toEqual(['a:b: c'])
  })

  it('is ignored where its field is unknown, by letter case or by space', () => {
    expect(collect(['Data: a\nDATA: b\n data: c\ndata : d\nfoo: e\nfoo\n\n']).events).toEqual([])
  })
})

describe('the event field, by the standard', () => {
  it('names the event, the last one winning', () => {
    expect(collect(['event: a\nevent: b\ndata\n\n']).events).toEqual([{ event: 'b', data: '', id: '' }])
  })

  it('is `message` where it is absent or empty, and holds for one event', () => {
    expect(
      collect(['event: a\ndata\n\ndata\n\nevent: a\nevent\ndata\n\n']).events.map(({ event }) => event),
    ).toEqual(['a', 'message', 'message'])
  })

  it('is forgotten in a block without data', () => {
    expect(collect(['event: a\n\ndata\n\n']).events).toEqual([{ event: 'message', data: '', id: '' }])
  })
})

describe('the id field, by the standard', () => {
  it('stays until another one is sent', () => {
    expect(collect(['id: 1\ndata\n\ndata\n\nid: 2\ndata\n\n']).events.map(({ id }) => id)).toEqual([
      '1',
      '1',
      '2',
    ])
  })

  it('counts in a block without data, too', () => {
    expect(collect(['id: 1\n\n'])).toMatchObject({ events: [], lastEventId: '1' })
    expect(collect(['id: 1\n\ndata\n\n']).events).toEqual([{ event: 'message', data: '', id: '1' }])
  })

  it('counts only once its block is complete', () => {
    expect(collect(['id: 1\ndata\n\nid: 2\ndata: lost\n']).lastEventId).toBe('1')
  })

  it('is reset by an empty one', () => {
    expect(collect(['id: 1\ndata\n\nid\ndata\n\n']).lastEventId).toBe('')
  })

  it('is ignored with NUL in it', () => {
    expect(collect(['id: 1\nid: 2\0\ndata\n\n']).lastEventId).toBe('1')
  })

  it('goes on from the id of the former connection', () => {
    expect(collect(['data\n\n'], { lastEventId: '7' }).events).toEqual([
      { event: 'message', data: '', id: '7' },
    ])
    expect(collect([''], { lastEventId: '7' }).lastEventId).toBe('7')
  })
})

describe('the retry field, by the standard', () => {
  it('is digits only', () => {
    expect(collect(['retry: 0\nretry:2137\nretry: 007\n']).retries).toEqual([0, 2137, 7])
    const ignored = ['', '-1', '+1', '1.5', '1e3', '0x10', ' 1', '1 ', 'a', '1\0', '١']
    expect(collect(ignored.map((value) => `retry: ${value}\n`)).retries).toEqual([])
    expect(collect(['retry\n']).retries).toEqual([])
  })

  it('may be longer than any number', () => {
    expect(collect([`retry: ${'9'.repeat(400)}\n`]).retries).toEqual([Number.POSITIVE_INFINITY])
  })
})

describe('chunks', () => {
  it('dispatch at a CR without waiting for an LF', () => {
    expect(data('data: a\r', '\r')).toEqual(['a'])
    expect(data('data: a\r\n\r')).toEqual(['a'])
  })

  it('may part a CRLF, which is one line end still', () => {
    expect(data('data: a\r', '\ndata: b\r', '\n\r', '\ndata: c\n\n')).toEqual(['a\nb', 'c'])
    expect(data('data: a\r', '', '\ndata: b\n\n')).toEqual(['a\nb'])
  })

  it('may part a character', () => {
    const bytes = utf8('data: é€🎉\n\n')
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(collect(cut(bytes, [at])).events).toEqual([{ event: 'message', data: 'é€🎉', id: '' }])
    }
  })

  it('with bytes that are not UTF-8 have replacement characters, and no end', () => {
    const stream = new Uint8Array([...utf8('data: a'), 0xff, 0xc3, ...utf8('\n\ndata: b\n\n')])
    expect(collect([stream]).events.map((event) => event.data)).toEqual(['a\uFFFD\uFFFD', 'b'])
  })

  it('go on after a callback that threw', () => {
    const seen: string[] = []
    const decoder = createDecoder({
      onEvent: (event) => {
        if (event.data === 'bad') throw new RangeError('bad')
        seen.push(event.data)
      },
    })
    decoder.feed('data: bad\n')
    expect(() => decoder.feed('\n')).toThrow(RangeError)
    decoder.feed('data: good\n\n')
    expect(seen).toEqual(['good'])
  })
})
