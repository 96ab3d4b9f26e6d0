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

const ONE = 'CPU a delivery, 1,000 readers, 1 a turn'
const TEN = 'CPU a delivery, 1,000 readers, 10 a turn'
const MANY = 'CPU a delivery, 5,000 readers, 1 a turn'
const OPEN = 'open loop, 1,000 events/s to 1,000'
const P99 = 'p99 at 20 events/s to 1,000, 1 KiB'
const MEMORY = 'memory of an idle connection, as many as descriptors allow'
const REPLAY = 'replay of 10,000'
const STALLED = '1 % of readers stalled'
const SERVERS = 'three servers'

const TARGETS: readonly Target[] = [
  within(ONE, 'fan-out.1000.100.1.cpu', 'net', 1.15),
  times(ONE, 'fan-out.1000.100.1.cpu', 'better-sse', 3.5),
  within(TEN, 'fan-out.1000.100.10.cpu', 'net', 1.15),
  times(TEN, 'fan-out.1000.100.10.cpu', 'better-sse', 12),
  times(TEN, 'fan-out.1000.100.10.cpu', 'better-sse-batch', 2.5),
  times(TEN, 'fan-out.1000.100.10.cpu', 'nchan', 3),
  within(MANY, 'fan-out.5000.100.1.cpu', 'net', 1.2),
  within(MANY, 'fan-out.5000.100.1.cpu', 'nchan', 1),
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
  within('accepting, CPU a connection', 'accept.5000', 'tutorial', 1.1),
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
    ['| case | what | target | measured | |', '| --- | --- | --: | --: | --- |', ...rows].join('\n'),
  ].join('\n\n')
}
