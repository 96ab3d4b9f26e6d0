import type { StandardSchemaV1 } from '@standard-schema/spec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ContractError, defineEvents, encodePayload, payload, state, text } from '../src/index.ts'

/** A Standard Schema made by hand: an even number, or a list of issues. */
const even: StandardSchemaV1<number> = {
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    validate: (value) =>
      typeof value === 'number' && value % 2 === 0
        ? { value }
        : { issues: [{ message: 'not even', path: ['list', { key: 0 }] }, { message: 'nor a number' }] },
  },
}
/** As ArkType's schemas are: a function. */
const callable: StandardSchemaV1<string> = Object.assign((value: unknown) => value, {
  '~standard': {
    version: 1 as const,
    vendor: 'callable',
    validate: (value: unknown) =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'expected a string' }] },
  },
})
const asynchronous: StandardSchemaV1<string> = {
  '~standard': { version: 1, vendor: 'by-hand', validate: () => Promise.reject(new Error('too late')) },
}
const thenable: StandardSchemaV1<string> = {
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    // biome-ignore lint/suspicious/noThenProperty: a promise of another realm, which is no instance of this Promise
    validate: () => Object.setPrototypeOf(Promise.resolve({ value: '' }), { then: Promise.prototype.then }),
  },
}
const throwing: StandardSchemaV1<string> = {
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    validate: () => {
      throw new RangeError('no such table')
    },
  },
}

const events = defineEvents({
  ping: payload<null>(),
  any: payload<unknown>(),
  counter: state<{ value: number }>(),
  quote: state(z.object({ symbol: z.string(), price: z.number() }), (q) => q.symbol),
  rate: state<{ symbol: string }>((q) => q.symbol),
  notification: z.object({ title: z.string(), level: z.string().default('info') }),
  trimmed: z.string().trim(),
  even,
  callable,
  callableState: state(callable, (name) => name),
  asynchronous,
  thenable,
  throwing,
  refined: z.string().refine(async () => true),
  done: text(),
})

function refusal(act: () => unknown): ContractError {
  try {
    act()
  } catch (error) {
    if (error instanceof ContractError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
const refuse = (event: string, value: unknown): ContractError =>
  refusal(() => encodePayload(events, event, value))

describe('encodePayload', () => {
  it.each([
    [0, '0'],
    ['', '""'],
    [false, 'false'],
    [null, 'null'],
    [[], '[]'],
    [{}, '{}'],
  ])('sends %j, which is a value', (value, data) => {
    expect(encodePayload(events, 'any', value)).toEqual({ data, key: undefined })
    expect(encodePayload(undefined, 'any', value)).toEqual({ data, key: undefined })
  })

  it('sends JSON on one line', () => {
    expect(encodePayload(events, 'any', 'a\r\nb').data).toBe('"a\\r\\nb"')
  })

  it('sends the raw string of a text event', () => {
    expect(encodePayload(events, 'done', 'a\nb')).toEqual({ data: 'a\nb', key: undefined })
    expect(encodePayload(events, 'done', '')).toEqual({ data: '', key: undefined })
  })

  it('sends the output of the schema, which strips what it does not name', () => {
    expect(encodePayload(events, 'notification', { title: 'Hello', password: 'x' }).data).toBe(
      '{"title":"Hello","level":"info"}',
    )
    expect(encodePayload(events, 'trimmed', '  a ').data).toBe('"a"')
  })

  it('has the key that a state supersedes', () => {
    expect(encodePayload(events, 'counter', { value: 1 }).key).toBe('')
    expect(encodePayload(events, 'quote', { symbol: 'AAPL', price: 1 }).key).toBe('AAPL')
  })

  it('checks with any Standard Schema, also with one that is a function', () => {
    expect(encodePayload(events, 'even', 2).data).toBe('2')
    expect(encodePayload(events, 'callable', 'a').data).toBe('"a"')
    expect(encodePayload(events, 'callableState', 'a')).toEqual({ data: '"a"', key: 'a' })
    expect(refuse('callable', 1).code).toBe('ERR_SSE_INVALID_PAYLOAD')
    expect(refuse('callableState', 1).code).toBe('ERR_SSE_INVALID_PAYLOAD')
  })

  it('takes any event and any JSON without a contract', () => {
    expect(encodePayload(undefined, 'constructor', { a: [1] })).toEqual({ data: '{"a":[1]}', key: undefined })
  })
})

describe('encodePayload refuses', () => {
  it('an event that is not in the contract, and names those that are', () => {
    const error = refuse('notifcation', {})
    expect(error).toMatchObject({ code: 'ERR_SSE_UNKNOWN_EVENT', event: 'notifcation', status: 500 })
    expect(error.message).toContain('ping, any, counter')
  })

  it.each(['constructor', '__proto__', 'toString', 'valueOf'])('%s, which nobody defined', (name) => {
    expect(refuse(name, null).code).toBe('ERR_SSE_UNKNOWN_EVENT')
  })

  it.each(['', 'a\nb', 'a\rb', 'a\0b'])('the event name %j, with and without a contract', (name) => {
    expect(refuse(name, null).code).toBe('ERR_SSE_EVENT_NAME')
    expect(refusal(() => encodePayload(undefined, name, null)).code).toBe('ERR_SSE_EVENT_NAME')
  })

  it.each(['sse.open', 'sse.close', 'open', 'error', '*'])(
    'the reserved name %s, without a contract too',
    (name) => {
      expect(refuse(name, null).code).toBe('ERR_SSE_RESERVED_EVENT')
      expect(refusal(() => encodePayload(undefined, name, null)).code).toBe('ERR_SSE_RESERVED_EVENT')
    },
  )

  it('what the schema refuses, with its issues and where they are', () => {
    const error = refuse('even', 1)
    expect(error.code).toBe('ERR_SSE_INVALID_PAYLOAD')
    expect(error.issues).toHaveLength(2)
    expect(error.message).toBe(
      "The payload of 'even' does not match the contract: list.0: not even; nor a number.",
    )
    expect(refuse('quote', { symbol: 'AAPL', price: '1' }).message).toContain('price: ')
  })

  it.each(['asynchronous', 'thenable', 'refined'])('an asynchronous schema: %s', (name) => {
    expect(refuse(name, 'a').code).toBe('ERR_SSE_ASYNC_SCHEMA')
  })

  it('what makes the schema throw, with the cause', () => {
    const error = refuse('throwing', 'a')
    expect(error).toMatchObject({ code: 'ERR_SSE_INVALID_PAYLOAD', cause: new RangeError('no such table') })
    expect(error.message).toContain('no such table')
  })

  it('an empty key, which is that of state without keys', () => {
    expect(refuse('quote', { symbol: '', price: 1 })).toMatchObject({ code: 'ERR_SSE_KEY', event: 'quote' })
  })

  it('what is no string for a text event', () => {
    for (const value of [1, null, undefined, {}, ['a']]) {
      expect(refuse('done', value).code).toBe('ERR_SSE_INVALID_PAYLOAD')
    }
    expect(refuse('done', ['a']).message).toContain('expected a string, got array')
  })

  it('half a character in a text event, which UTF-8 cannot carry', () => {
    const events = defineEvents({ token: text() })
    const answer = 'done 🎉'
    expect(encodePayload(events, 'token', answer).data).toBe(answer)
    for (const part of [answer.slice(0, 6), answer.slice(6)])
      expect(() => encodePayload(events, 'token', part)).toThrow(/half a character/)
  })

  it('undefined, functions, symbols, bigints and circles, which have no JSON', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    for (const value of [undefined, () => 1, Symbol('a'), 1n, { id: 1n }, circle]) {
      expect(refuse('any', value).code).toBe('ERR_SSE_NOT_JSON')
      expect(refusal(() => encodePayload(undefined, 'any', value)).code).toBe('ERR_SSE_NOT_JSON')
    }
    expect(refuse('any', circle).cause).toBeInstanceOf(TypeError)
  })

  it('a toJSON that throws', () => {
    const cause = new Error('not now')
    const value = {
      toJSON() {
        throw cause
      },
    }
    expect(refuse('any', value)).toMatchObject({ code: 'ERR_SSE_NOT_JSON', cause })
  })

  it('a payload whose key is no string, or whose key cannot be had', () => {
    expect(refuse('rate', { symbol: 7 })).toMatchObject({ code: 'ERR_SSE_KEY' })
    expect(refuse('rate', { symbol: 7 }).message).toContain('got 7')
    expect(refuse('rate', {}).code).toBe('ERR_SSE_KEY')
    expect(refuse('rate', null)).toMatchObject({ code: 'ERR_SSE_KEY', cause: expect.any(TypeError) })
  })
})

describe('decode', () => {
  it('gives what was encoded, for anything that JSON carries', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const { data } = encodePayload(events, 'any', value)
        expect(events.decode('any', data)).toEqual({
          payload: JSON.parse(JSON.stringify(value)),
          key: undefined,
        })
      }),
    )
  })

  it('gives the raw string of a text event', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(events.decode('done', encodePayload(events, 'done', value).data).payload).toBe(value)
      }),
    )
  })

  it('gives the same key as the sender', () => {
    const { data, key } = encodePayload(events, 'quote', { symbol: 'AAPL', price: 1 })
    expect(events.decode('quote', data)).toEqual({
      payload: { symbol: 'AAPL', price: 1 },
      key,
    })
    expect(events.decode('counter', '{"value":1}')).toEqual({
      payload: { value: 1 },
      key: '',
    })
  })

  it('checks with the schema again, as a sender may be another program', () => {
    expect(refusal(() => events.decode('notification', '{"title":1}')).code).toBe('ERR_SSE_INVALID_PAYLOAD')
    expect(events.decode('notification', '{"title":"a","x":1}').payload).toEqual({
      title: 'a',
      level: 'info',
    })
  })

  it('refuses data that is no JSON, and says what to do', () => {
    const error = refusal(() => events.decode('ping', 'pong'))
    expect(error).toMatchObject({ code: 'ERR_SSE_NOT_JSON', event: 'ping', cause: expect.any(SyntaxError) })
    expect(error.message).toContain('text()')
    expect(refusal(() => events.decode('ping', '')).code).toBe('ERR_SSE_NOT_JSON')
  })

  it('refuses an event that is not in the contract', () => {
    expect(refusal(() => events.decode('constructor', '1')).code).toBe('ERR_SSE_UNKNOWN_EVENT')
  })

  it('makes no prototype of a payload', () => {
    const { payload: value } = events.decode('any', '{"__proto__":{"admin":true}}')
    expect(Reflect.get(Object(value), 'admin')).toBeUndefined()
    expect(Reflect.get({}, 'admin')).toBeUndefined()
  })
})
