import { BLOWS, type Strike } from './proxy.ts'
import { Random } from './random.ts'

/** By name, how a channel is retained. What a long one holds is never dropped here. */
export const CHANNELS = {
  news: { length: 100_000, bytes: 50_000_000, age: 3_600_000 },
  prices: { length: 100_000, bytes: 50_000_000, age: 3_600_000 },
  brief: { length: 5, bytes: 1_000_000, age: 3_600_000 },
  bulky: { length: 5, bytes: 2_000_000, age: 3_600_000 },
} as const
export type Channel = keyof typeof CHANNELS

export const isBrief = (channel: string): boolean => channel === 'brief' || channel === 'bulky'

/** What the servers share: nothing, as there is only one; a Redis; or a Redis that loses its data. */
export type Setting = 'memory' | 'redis' | 'lossy redis'

/** Something that goes wrong; `share` is that of the connections or readers that it concerns. */
export type Fault =
  | ({ readonly kind: 'strike'; readonly share: number } & Strike)
  /** Requests are answered by 503. */
  | { readonly kind: 'refuse'; readonly milliseconds: number }
  /** A server is gone for a while: its process was killed, or it closed, in some time or in its own. */
  | { readonly kind: 'destroy'; readonly server: number; readonly milliseconds: number }
  | {
      readonly kind: 'close'
      readonly server: number
      readonly milliseconds: number
      readonly within?: number
    }
  /** Redis cuts its connections, those that subscribe or the others. */
  | { readonly kind: 'cut redis'; readonly type: 'pubsub' | 'normal' }
  | { readonly kind: 'pause redis'; readonly milliseconds: number }
  | { readonly kind: 'flush redis' }
  /** More is published in one turn than some channels hold. */
  | { readonly kind: 'burst'; readonly channel: Channel; readonly count: number }
  /** Readers connect anew while they are handed the next event. */
  | { readonly kind: 'reconnect'; readonly share: number }

export interface Step {
  /** In milliseconds from the beginning. */
  readonly at: number
  readonly fault: Fault
}

export const serversOf = (setting: Setting): number => (setting === 'memory' ? 1 : 3)

/** What goes wrong, and when: the same for the same seed. */
export function scenario(seed: number, setting: Setting, duration: number): Step[] {
  const random = new Random(seed)
  /** One about every so many milliseconds. */
  const every = (interval: number, fault: () => Fault): Step[] =>
    Array.from({ length: Math.round(duration / interval) }, () => ({
      at: random.between(0, duration),
      fault: fault(),
    }))

  const strike = (): Fault => ({
    kind: 'strike',
    share: random.between(2, 6) / 10,
    blow: random.pick(BLOWS),
    // In the head of the answer, in what is replayed, or much later.
    bytes: random.between(1, random.pick([300, 2_000, 50_000])),
    milliseconds: random.between(50, 1_000),
  })
  const leave = (): Fault => ({
    ...random.pick([{ kind: 'destroy' }, { kind: 'close' }, { kind: 'close', within: 700 }] as const),
    server: random.between(0, serversOf(setting) - 1),
    milliseconds: random.between(0, 400),
  })
  const steps = [
    ...every(100, strike),
    ...every(1_500, () => ({ kind: 'refuse', milliseconds: random.between(50, 300) })),
    ...every(setting === 'memory' ? 3_000 : 800, leave),
    ...every(400, () => ({
      kind: 'burst',
      channel: random.pick(['news', 'prices', 'brief', 'bulky'] as const),
      count: random.between(5, 40),
    })),
    ...every(200, () => ({ kind: 'reconnect', share: random.between(1, 4) / 10 })),
  ]
  if (setting !== 'memory') {
    steps.push(
      ...every(700, () => ({ kind: 'cut redis', type: random.pick(['pubsub', 'normal'] as const) })),
      ...every(2_000, () => ({ kind: 'pause redis', milliseconds: random.between(50, 600) })),
    )
  }
  if (setting === 'lossy redis') steps.push(...every(2_000, () => ({ kind: 'flush redis' })))
  return steps.sort((one, other) => one.at - other.at)
}
