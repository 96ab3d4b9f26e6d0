import { figure } from './figure.ts'
import { isFailure, type Section } from './section.ts'

/** Looks a figure up: the id of a column, a peer. */
type Look = (id: string, peer: string) => number

interface Target {
  readonly of: string
  readonly what: string
  readonly limit: number
  /** Met at the limit and below, or at the limit and above. */
  readonly side: 'most' | 'least'
  readonly unit: string
  measure(look: Look): number
}

/** A ratio of ours to a peer's that is to be at most so much. */
const within = (of: string, id: string, peer: string, limit: number, ours = 'sse'): Target => ({
  of,
  what: `ours to ${peer}`,
  limit,
  side: 'most',
  unit: '×',
  measure: (look) => look(id, ours) / look(id, peer),
})

/** A ratio of a peer's to ours that is to be at least so much. */
const times = (of: string, id: string, peer: string, limit: number): Target => ({
  of,
  what: `${peer} to ours`,
  limit,
  side: 'least',
  unit: '×',
  measure: (look) => look(id, peer) / look(id, 'sse'),
})

/** Both by turns back to back and with a pause after each: ours is to be close to the floor in either. */
const delivery = (readers: number, perTurn: number, paused: boolean) => ({
  of: `CPU a delivery, ${readers.toLocaleString('en')} readers, ${perTurn} a turn, ${paused ? 'with pauses' : 'back to back'}`,
  id: `fan-out.${readers}.100.${paused ? 'paused.' : ''}${perTurn}.cpu`,
})

const fanOut = [false, true].flatMap((paused): readonly Target[] => {
  const one = delivery(1_000, 1, paused)
  const ten = delivery(1_000, 10, paused)
  const many = delivery(5_000, 1, paused)
  return [
    within(one.of, one.id, 'net', 1.15),
    times(one.of, one.id, 'better-sse', 3.5),
    within(ten.of, ten.id, 'net', 1.15),
    times(ten.of, ten.id, 'better-sse', 12),
    times(ten.of, ten.id, 'better-sse-batch', 2.5),
    times(ten.of, ten.id, 'nchan', 3),
    within(many.of, many.id, 'net', 1.2),
    within(many.of, many.id, 'nchan', 1),
  ]
})

const OPEN = 'open loop, 1,000 events/s to 1,000'
const P99 = 'p99 at 20 events/s to 1,000, 1 KiB'
const MEMORY = 'memory of an idle connection, as many as descriptors allow'
const REPLAY = 'replay of 10,000'
const STALLED = '1 % of readers stalled'
const SERVERS = 'three servers'

const TARGETS: readonly Target[] = [
  ...fanOut,
  {
    of: OPEN,
    what: 'deliveries/s',
    limit: 900_000,
    side: 'least',
    unit: '/s',
    measure: (look) => look('open-loop.1000.rate', 'sse'),
  },
  {
    of: OPEN,
    what: 'p99',
    limit: 20,
    side: 'most',
    unit: 'ms',
    measure: (look) => look('open-loop.1000.p99', 'sse'),
  },
  within(P99, 'latency.p99', 'net', 1.2),
  within(P99, 'latency.p99', 'nchan', 1),
  within(MEMORY, 'memory.most', 'tutorial', 1),
  within('accepting, CPU a connection, up for a while', 'accept.again', 'tutorial', 1.1),
  within('accepting, CPU a connection, just started', 'accept.5000', 'tutorial', 1.1),
  within(`${REPLAY} to one`, 'resume.one.ms', 'net', 1),
  times(`${REPLAY} to one`, 'resume.one.ms', 'fastify', 20),
  within(`${REPLAY} to fifty`, 'resume.fifty.ms', 'net', 1),
  times(`${REPLAY} to fifty`, 'resume.fifty.ms', 'fastify', 20),
  {
    of: STALLED,
    what: 'kept for each',
    limit: 0.1,
    side: 'most',
    unit: 'MB',
    measure: (look) => look('stalled.kept', 'sse'),
  },
  {
    of: STALLED,
    what: 'p99 of the others to that of none stalled',
    limit: 1.1,
    side: 'most',
    unit: '×',
    measure: (look) => look('stalled.slower', 'sse'),
  },
  within(`${SERVERS}, p99`, 'servers.p99', 'pubsub', 1.5, 'sse-redis'),
  {
    of: `${SERVERS}, publishes/s`,
    what: 'ours to pubsub',
    limit: 0.6,
    side: 'least',
    unit: '×',
    measure: (look) => look('servers.rate', 'sse-redis') / look('servers.rate', 'pubsub'),
  },
]

/** What we mean to reach, and what was measured, as Markdown; without what this run did not measure. */
export function targets(sections: readonly Section[]): string {
  const columns = new Map(sections.flatMap(({ columns }) => columns.map((column) => [column.id, column])))
  const look: Look = (id, peer) => {
    const value = columns.get(id)?.values.get(peer)
    return value === undefined || isFailure(value) ? Number.NaN : value
  }
  const rows = TARGETS.flatMap(({ limit, measure, of, side, unit, what }) => {
    const measured = measure(look)
    if (Number.isNaN(measured)) return []
    const met = side === 'most' ? measured <= limit : measured >= limit
    const sign = side === 'most' ? '≤' : '≥'
    return [
      `| ${of} | ${what} | ${sign} ${limit.toLocaleString('en')} ${unit} | ${figure(measured)} ${unit} | ${met ? 'met' : '**not met**'} |`,
    ]
  })
  return [
    '## Targets',
    'Fan-out is judged back to back; the same limits stand beside what pauses between turns make of it, where the kernel has the larger share of what everybody takes, so that a multiple of `net` itself is out of reach: how far better-sse is from `net` there limits how far it can be from ours.',
    ['| case | what | target | measured | |', '| --- | --- | --: | --: | --- |', ...rows].join('\n'),
  ].join('\n\n')
}
