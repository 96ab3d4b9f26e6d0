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
  /** What a server has in place of ours: ours, or the floor. */
  measure(look: Look, server: string): number
}

/** A ratio of ours to a peer's that is to be at most so much. */
const within = (of: string, id: string, peer: string, limit: number): Target => ({
  of,
  what: `ours to ${peer}`,
  limit,
  side: 'most',
  unit: '×',
  measure: (look, server) => look(id, server) / look(id, peer),
})

/** A ratio of a peer's to ours that is to be at least so much. */
const times = (of: string, id: string, peer: string, limit: number): Target => ({
  of,
  what: `${peer} to ours`,
  limit,
  side: 'least',
  unit: '×',
  measure: (look, server) => look(id, peer) / look(id, server),
})

const delivery = (readers: number, perTurn: number, paused: boolean) => ({
  of: `CPU a delivery, ${readers.toLocaleString('en')} readers, ${perTurn} a turn, ${paused ? 'with pauses' : 'back to back'}`,
  id: `fan-out.${readers}.100.${paused ? 'paused.' : ''}${perTurn}.cpu`,
})

/** Ours is to be close to the floor in either rhythm; far from others, where the kernel's share leaves room for that. */
const fanOut = [false, true].flatMap((paused): readonly Target[] => {
  const one = delivery(1_000, 1, paused)
  const ten = delivery(1_000, 10, paused)
  const many = delivery(5_000, 1, paused)
  const far = [
    times(one.of, one.id, 'better-sse', 3.5),
    times(ten.of, ten.id, 'better-sse', 12),
    times(ten.of, ten.id, 'better-sse-batch', 2.5),
    times(ten.of, ten.id, 'nchan', 3),
  ]
  return [
    within(one.of, one.id, 'net', 1.15),
    within(ten.of, ten.id, 'net', 1.15),
    within(many.of, many.id, 'net', 1.2),
    within(many.of, many.id, 'nchan', 1),
    ...(paused ? [] : far),
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
    measure: (look, server) => look('open-loop.1000.rate', server),
  },
  {
    of: OPEN,
    what: 'p99',
    limit: 20,
    side: 'most',
    unit: 'ms',
    measure: (look, server) => look('open-loop.1000.p99', server),
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
    measure: (look, server) => look('stalled.kept', server),
  },
  {
    of: STALLED,
    what: 'p99 of the others to that of none stalled',
    limit: 1.1,
    side: 'most',
    unit: '×',
    measure: (look, server) => look('stalled.slower', server),
  },
  {
    of: `${SERVERS}, p99`,
    what: 'ours to pubsub',
    limit: 1.5,
    side: 'most',
    unit: '×',
    measure: (look, server) => look('servers.p99', `${server}-redis`) / look('servers.p99', 'pubsub'),
  },
  {
    of: `${SERVERS}, publishes/s`,
    what: 'ours to pubsub',
    limit: 0.6,
    side: 'least',
    unit: '×',
    measure: (look, server) => look('servers.rate', `${server}-redis`) / look('servers.rate', 'pubsub'),
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
    const meets = (value: number): boolean => (side === 'most' ? value <= limit : value >= limit)
    const shown = (value: number): string => (Number.isNaN(value) ? '—' : `${figure(value)} ${unit}`)
    const ours = measure(look, 'sse')
    const floor = measure(look, 'net')
    if (Number.isNaN(ours)) return []
    const missed = Number.isNaN(floor) || meets(floor) ? '**not met**' : '**not met**, nor by `net`'
    const sign = side === 'most' ? '≤' : '≥'
    return [
      `| ${of} | ${what} | ${sign} ${limit.toLocaleString('en')} ${unit} | ${shown(ours)} | ${shown(floor)} | ${meets(ours) ? 'met' : missed} |`,
    ]
  })
  return [
    '## Targets',
    'Beside what ours has stands what `net` has in its place: the floor of who writes each turn by itself, which only fewer writes go below. How much of it is the kernel, and so how far others can be from it at all, is another thing on each machine.',
    ['| case | what | target | ours | `net` | |', '| --- | --- | --: | --: | --: | --- |', ...rows].join(
      '\n',
    ),
  ].join('\n\n')
}
