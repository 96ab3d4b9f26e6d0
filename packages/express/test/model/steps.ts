import fc from 'fast-check'
import type { Keeps } from './log.ts'
import type { Coming, Settings, Step } from './world.ts'

const CHANNELS = ['a', 'b', 'c']

const channel = fc.constantFrom(...CHANNELS)
const channels = fc.subarray(CHANNELS, { minLength: 1 })
const key = fc.constantFrom('x', 'y')
const reader = fc.nat({ max: 2 })
/** Mostly small; some longer than a slice of 64 KiB would take two of. */
const size = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 40 }) },
  { weight: 1, arbitrary: fc.constant(40_000) },
)
const last = fc.constantFrom(0, 0, 1, 2, 10, Number.POSITIVE_INFINITY)

const coming: fc.Arbitrary<Coming> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ with: fc.constant('nothing' as const) }) },
  { weight: 6, arbitrary: fc.record({ with: fc.constant('its last' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ with: fc.constant('an earlier' as const), index: fc.nat({ max: 50 }) }),
  },
  { weight: 1, arbitrary: fc.record({ with: fc.constantFrom('garbage' as const, 'the future' as const) }) },
)

/** 0 and 1 are where the opening begins, and everything has come. */
const share = fc.oneof(
  fc.constantFrom(0, 1),
  fc.nat({ max: 1000 }).map((n) => n / 1000),
)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      channel,
      key: fc.option(key, { nil: undefined, freq: 2 }),
      size,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('burst' as const),
      channel,
      count: fc.integer({ min: 2, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), channel, key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), channel }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('connect' as const),
      reader,
      coming,
      channels,
      last,
      greeted: fc.constantFrom(false, false, true),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), reader, channels, last }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), reader, channel }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const), reader }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('drop' as const), reader, share }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('stall' as const, 'drain' as const), reader }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('beat' as const), reader }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('disconnect' as const, 'close' as const), reader }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), milliseconds: fc.constantFrom(10, 60) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('yield' as const) }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('rest' as const) }) },
)

const keeps: fc.Arbitrary<Keeps> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      length: fc.constantFrom(1, 2, 3, 5, 1_000),
      bytes: fc.constantFrom(150, 300, 1_000_000, 1_000_000),
      age: fc.constantFrom(50, 300_000, 300_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Keeps>(false) },
)

/** How small the logs are, how soon channels are forgotten, how soon a socket is full. */
export const settings: fc.Arbitrary<Settings> = fc.record({
  keeps: fc.record({ a: keeps, b: keeps, c: keeps }),
  idleChannels: fc.constantFrom(0, 1, 2, 10_000, 10_000),
  highWaterMark: fc.constantFrom(1, 100, 16_384),
  straight: fc.boolean(),
  prompt: fc.boolean(),
  answers: fc.constantFrom(undefined, ...CHANNELS),
})

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 40, size: 'max' })
