import { describe, expect, it, vi } from 'vitest'
import { ending, type Serve, stream } from './endpoint.ts'
import { openText } from './text-source.ts'

/**
 * How a stream is read.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function describeStream(serve: Serve): void {
  /** Everything that a stream says, until the server ends it. */
  async function read(body: string | readonly number[], type = 'text/event-stream') {
    await using endpoint = await serve({ ...ending(body), headers: { 'content-type': type } }, stream())
    const { source, heard, until } = openText(endpoint.url)
    await until('retrying')
    const { cursor } = source
    source.close()
    return { heard, cursor }
  }
  const data = async (body: string): Promise<string[]> => (await read(body)).heard.map(([, text]) => text)

  describe('the stream, as the standard reads it:', () => {
    it.each([
      ['LF', 'data:a\n\ndata:b\n\n'],
      ['CR', 'data:a\r\rdata:b\r\r'],
      ['CRLF', 'data:a\r\n\r\ndata:b\r\n\r\n'],
      ['all three', 'data:a\r\n\ndata:b\n\r'],
    ])('lines end with %s', async (_name, body) => {
      expect(await data(body)).toEqual(['a', 'b'])
    })

    it('a byte order mark at the start is dropped, a second one is part of the first field', async () => {
      expect(await data('\uFEFFdata: a\n\ndata: b\n\n')).toEqual(['a', 'b'])
      expect(await data('\uFEFF\uFEFFdata: a\n\ndata: b\n\n')).toEqual(['b'])
      expect(await data('data: a\n\n\uFEFFdata: b\n\ndata: c\n\n')).toEqual(['a', 'c'])
    })

    it('comments of any length and content are none of the data', async () => {
      const long = 'no '.repeat(1_000)
      const comments = [':', ': data:no', ':\0', `:${long}`, '::data: no', ':\u2028data:no']
      for (const end of ['\n', '\r', '\r\n']) {
        const body = comments.map((comment, n) => `${comment}${end}data:${n}${end}`).join('')
        expect(await data(body + end)).toEqual(['0\n1\n2\n3\n4\n5'])
      }
    })

    it('a field is known by its exact name', async () => {
      const others = [
        'Data',
        'DATA',
        'datas',
        'dat',
        ' data',
        'data ',
        'data\0',
        '\0data',
        'data\t',
        'd-ata',
        '',
      ]
      const body = others.map((name) => (name === '' ? 'no\n' : `${name}:no\n`)).join('')
      expect(await data(`${body}data:yes\n\n`)).toEqual(['yes'])
    })

    it('one space after the colon is no part of the value; a second one, a tab, or one at the end is', async () => {
      expect(await data('data: one\ndata:  two\ndata:\ttab\ndata:none\ndata: \ndata: end \n\n')).toEqual([
        'one\n two\n\ttab\nnone\n\nend ',
      ])
    })

    it('a colon in a value is a part of it', async () => {
      expect(await data('data: {"a": 1}\ndata::\n\n')).toEqual(['{"a": 1}\n:'])
    })

    it('data without a value is data; several lines are joined; without a line of data there is no event', async () => {
      expect(await data('data\n\ndata: \n\ndata\ndata:\n\n')).toEqual(['', '', '\n'])
      expect(
        await data('event: test\nid: 7\nretry: 5\n\n\n\n:only\n\nunknown: x\n\ndata: a\ndata: b\n\n'),
      ).toEqual(['a\nb'])
    })

    it('an event that the stream ends in is dropped, and its id with it', async () => {
      const { heard, cursor } = await read('id:1\ndata:whole\n\nid:2\ndata:cut\n')
      expect(heard).toEqual([['message', 'whole', '1']])
      expect(cursor).toBe('1')
    })

    it('an event is a message where it has no name, or an empty one, and a name is for one event', async () => {
      const { heard } = await read(
        'event:test\ndata:a\n\ndata:b\n\nevent:\ndata:c\n\nevent: x\nevent: test\ndata:d\n\n',
      )
      expect(heard).toEqual([
        ['test', 'a', ''],
        ['message', 'b', ''],
        ['message', 'c', ''],
        ['test', 'd', ''],
      ])
    })

    it('an id stays until there is another one, an empty one forgets it, one with NUL is none', async () => {
      const { heard } = await read(
        'id:1\ndata:a\n\ndata:b\n\nid:2\ndata:c\n\nid:\0\0\ndata:d\n\nid\ndata:e\n\ndata:f\n\n',
      )
      expect(heard.map(([, , id]) => id)).toEqual(['1', '1', '2', '2', '', ''])
    })

    it('NUL is a character of the data like any other', async () => {
      expect(await data('data: a\0b\n\n')).toEqual(['a\0b'])
    })

    it('it is UTF-8 whatever its type says, and what is not UTF-8 is replaced', async () => {
      expect((await read('data: größe €\n\n', 'text/event-stream;charset=windows-1252')).heard).toEqual([
        ['message', 'größe €', ''],
      ])
      const bytes = new TextEncoder().encode('data:??a\n\n')
      const broken = [...bytes.slice(0, 5), 0xff, 0xe2, 0x80, ...bytes.slice(7)]
      expect((await read(broken)).heard).toEqual([['message', '\uFFFD\uFFFDa', '']])
    })

    it('retry is decimal digits, and nothing else', async () => {
      // One that counts would be far beyond the time that is waited for.
      const never = ['2000000x', '  2000000', '-2000000', '2e6', '2000000.5', '', '٢٠٠٠٠٠٠']
      await using endpoint = await serve(
        ending(`retry:3000\n${never.map((value) => `retry:${value}\n`).join('')}data:x\n\n`),
        stream('data:again\n\n'),
      )
      const { source, heard, until } = openText(endpoint.url)
      await until('retrying')
      expect((source.getState().retryAt ?? 0) - Date.now()).toBeLessThanOrEqual(6_000)
      source.reconnect()
      await vi.waitFor(() => expect(heard).toHaveLength(2))
    })
  })
}
