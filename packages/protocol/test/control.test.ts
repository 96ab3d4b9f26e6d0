import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ControlEvent, decodeControl, encodeControl, isControl } from '../src/index.ts'
import { collect } from './collect.ts'

const malformed = RangeError

const control: fc.Arbitrary<ControlEvent> = fc.oneof(
  fc.record({
    event: fc.constant('sse.open' as const),
    data: fc.record({ heartbeat: fc.nat(), resumed: fc.boolean(), replay: fc.nat() }),
  }),
  fc.record({
    event: fc.constant('sse.gap' as const),
    data: fc.record({
      channels: fc.array(fc.string({ unit: 'binary' })),
      reason: fc.constantFrom('evicted' as const, 'epoch' as const, 'unknown' as const, 'joined' as const),
    }),
  }),
  fc.record({ event: fc.constant('sse.live' as const), data: fc.constant({}) }),
  fc.record({
    event: fc.constant('sse.remove' as const),
    data: fc.record({ event: fc.string({ unit: 'binary' }), key: fc.string({ unit: 'binary' }) }),
  }),
  fc.record({
    event: fc.constant('sse.close' as const),
    data: fc.record({ reason: fc.string({ unit: 'binary' }) }),
  }),
)

describe('a control event', () => {
  it('is an ordinary event with a name and data on one line', () => {
    expect(encodeControl('sse.open', { heartbeat: 15_000, resumed: true, replay: 3 }, 'k3f9a2c1-1z')).toBe(
      'event: sse.open\nid: k3f9a2c1-1z\ndata: {"heartbeat":15000,"resumed":true,"replay":3}\n\n',
    )
    expect(encodeControl('sse.gap', { channels: ['news'], reason: 'evicted' })).toBe(
      'event: sse.gap\ndata: {"channels":["news"],"reason":"evicted"}\n\n',
    )
    expect(encodeControl('sse.live', {}, 'k3f9a2c1-2b')).toBe(
      'event: sse.live\nid: k3f9a2c1-2b\ndata: {}\n\n',
    )
    expect(encodeControl('sse.close', { reason: 'done\n\nevent: x' })).toBe(
      'event: sse.close\ndata: {"reason":"done\\n\\nevent: x"}\n\n',
    )
  })

  it('is read as it was written', () => {
    fc.assert(
      fc.property(control, ({ event, data }) => {
        const [received] = collect([encodeControl(event, data)]).events
        expect(received?.event).toBe(event)
        expect(decodeControl(event, received?.data ?? '')).toEqual({ event, data })
      }),
    )
  })

  it('may have more than this version knows', () => {
    expect(decodeControl('sse.open', '{"heartbeat":1,"resumed":false,"replay":0,"later":1}')).toMatchObject({
      event: 'sse.open',
      data: { heartbeat: 1 },
    })
    expect(decodeControl('sse.live', '{"later":1}')).toMatchObject({ event: 'sse.live' })
  })

  it('of a later version is ignored', () => {
    for (const name of ['sse.', 'sse.later', 'sse.constructor', 'constructor', '__proto__', 'toString']) {
      expect(decodeControl(name, 'anything')).toBeUndefined()
    }
  })

  it.each([
    ['sse.open', ''],
    ['sse.open', 'null'],
    ['sse.open', '[]'],
    ['sse.open', '"a"'],
    ['sse.open', '{}'],
    ['sse.open', '{"heartbeat":"15000","resumed":true,"replay":0}'],
    ['sse.open', '{"heartbeat":1,"resumed":1,"replay":0}'],
    ['sse.open', '{"heartbeat":1,"resumed":true}'],
    ['sse.gap', '{"channels":"news","reason":"evicted"}'],
    ['sse.gap', '{"channels":[]}'],
    ['sse.remove', '{"event":"quote"}'],
    ['sse.remove', '{"key":"AAPL"}'],
    ['sse.close', '{}'],
  ])('with malformed data is refused: %s %s', (event, data) => {
    expect(() => decodeControl(event, data)).toThrow(malformed)
  })

  it('with malformed data is quoted in part only', () => {
    expect(() => decodeControl('sse.close', 'x'.repeat(10_000))).toThrow(/^.{1,300}$/)
  })
})

describe('isControl', () => {
  it("tells the library's own events from the application's", () => {
    for (const name of ['sse.open', 'sse.live', 'sse.later', 'sse.']) expect(isControl(name)).toBe(true)
    for (const name of ['sse', 'ssex', 'message', 'Sse.open', ' sse.open', ''])
      expect(isControl(name)).toBe(false)
  })
})
