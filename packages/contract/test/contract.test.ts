import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  assertEventName,
  ContractError,
  type ContractErrorCode,
  type Definitions,
  defineEvents,
  payload,
  state,
  text,
} from '../src/index.ts'

/** As plain JavaScript calls it, where no type refuses anything. */
const defineUnchecked: (definitions: Definitions) => unknown = defineEvents

function refusal(act: () => unknown): ContractErrorCode | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof ContractError) return error.code
    throw error
  }
  return undefined
}

describe('defineEvents', () => {
  it('keeps each definition by its name', () => {
    const { definitions } = defineEvents({ ping: payload<null>(), counter: state<number>(), done: text() })
    expect(Object.keys(definitions)).toEqual(['ping', 'counter', 'done'])
    expect(definitions.ping.kind).toBe('payload')
    expect(definitions.counter.kind).toBe('state')
    expect(definitions.done.kind).toBe('text')
  })

  it('makes a payload event of a bare schema', () => {
    const title = z.object({ title: z.string() })
    expect(defineEvents({ notification: title }).definitions.notification).toEqual({
      kind: 'payload',
      schema: title,
    })
  })

  it('cannot be changed afterwards', () => {
    const events = defineEvents({ ping: payload<null>() })
    expect(Object.isFrozen(events)).toBe(true)
    expect(Object.isFrozen(events.definitions)).toBe(true)
  })

  it('has no definition that was inherited', () => {
    const { definitions } = defineEvents({})
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(Reflect.get(definitions, name)).toBeUndefined()
    }
  })

  it('takes even `__proto__` and `constructor` as ordinary names where they are defined', () => {
    const { definitions } = defineEvents({ ['__proto__']: text(), constructor: text() })
    expect(Object.keys(definitions)).toEqual(['__proto__', 'constructor'])
    expect(Reflect.get(definitions, '__proto__')).toEqual({ kind: 'text' })
  })

  it.each(['open', 'error', '*', 'sse.', 'sse.open', 'sse.anything'])(
    'refuses the reserved name %j',
    (name) => {
      expect(refusal(() => defineUnchecked({ [name]: text() }))).toBe('ERR_SSE_RESERVED_EVENT')
    },
  )

  it.each(['', 'a\nb', 'a\rb', 'a\r\nb', 'a\0b', '\n'])('refuses the name %j', (name) => {
    expect(refusal(() => defineUnchecked({ [name]: text() }))).toBe('ERR_SSE_EVENT_NAME')
  })

  it.each(['message', 'sse', 'opened', 'Error', 'a b', 'naïve', 'a:b', '🎉'])('takes the name %j', (name) => {
    expect(refusal(() => defineUnchecked({ [name]: text() }))).toBeUndefined()
  })

  it.each([undefined, null, 'text', {}, payload, { kind: 'other' }])(
    'refuses a definition that is none: %j',
    (definition) => {
      const definitions: Record<string, never> = JSON.parse('{}')
      Reflect.set(definitions, 'ping', definition)
      expect(() => defineUnchecked(definitions)).toThrow(TypeError)
      expect(() => defineUnchecked(definitions)).toThrow(/'ping' is not defined: use payload/)
    },
  )
})

describe('state', () => {
  it('has the key of its payload', () => {
    const quote = state<{ symbol: string }>((q) => q.symbol)
    expect(quote.keyed).toBe(true)
    expect(quote.key({ symbol: 'AAPL' })).toBe('AAPL')
  })

  it('has one key for all where none is given', () => {
    const counter = state<number>()
    expect(counter.keyed).toBe(false)
    expect(counter.key(1)).toBe('')
    expect(counter.key(2)).toBe('')
  })

  it('tells a schema that is a function from a key', () => {
    const callable = Object.assign(() => 'called', {
      '~standard': { version: 1 as const, vendor: 'callable', validate: (value: unknown) => ({ value }) },
    })
    expect(state(callable)).toMatchObject({ schema: callable, keyed: false })
    expect(state(callable, () => 'k')).toMatchObject({ schema: callable, keyed: true })
  })
})

describe('in plain JavaScript', () => {
  const schema = z.object({ id: z.string() })
  const loose = { payload, state } as Record<string, (...args: unknown[]) => unknown>

  it.each([
    ['a schema within payload()', 'payload', [schema]],
    ['what is no Standard Schema', 'state', [{ validate() {} }]],
    ['the name of a property as a key', 'state', [schema, 'id']],
    ['such a name alone', 'state', ['id']],
    ['a key before its schema', 'state', [() => 'a', schema]],
  ])('refuses %s, by which nothing would be checked or kept', (_, name, args) => {
    expect(() => loose[name]?.(...args)).toThrow(TypeError)
  })
})

describe('assertEventName', () => {
  const circle: Record<string, unknown> = {}
  circle.circle = circle

  it.each([undefined, null, 1, 1n, {}, Object.create(null), circle, ['a'], Symbol('a')])(
    'refuses what is no string',
    (name) => {
      expect(refusal(() => assertEventName(name))).toBe('ERR_SSE_EVENT_NAME')
    },
  )

  it('refuses half a character, which would arrive as another name', () => {
    expect(refusal(() => assertEventName('a\ud800'))).toBe('ERR_SSE_EVENT_NAME')
    assertEventName('🎉')
  })

  it('reminds of the order of the arguments', () => {
    expect(() => assertEventName({ title: 'Hello' })).toThrow("send('message', data)")
  })

  it('says which names are reserved', () => {
    expect(() => assertEventName('sse.open')).toThrow(/'sse\.\*', 'open', 'error' and '\*'/)
  })
})
