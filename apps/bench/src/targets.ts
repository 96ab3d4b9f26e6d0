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
  /** The value for ours, or for the floor (`net`) put in its place. */
  measure(look: Look, server: string): number
}

/** Our figure divided by a peer's, which is to be at most the limit. */
const within = (of: string, id: string, peer: string, limit: number): Target => ({
  of,
  what: `ours / ${peer}`,
  limit,
  side: 'most',
  unit: '×',
  measure: (look, server) => look(id, server) / look(id, peer),
})

/** A peer's figure divided by ours, which is to be at least the limit. */
const times = (of: string, id: string, peer: string, limit: number): Target => ({
  of,
  what: `${peer} / ours`,
  limit,
  side: 'least',
  unit: '×',
  measure: (look, server) => look(id, peer) / look(id, server),
})

const delivery = (readers: number, perTurn: number, paused: boolean) => ({
  of: `CPU per delivery, ${readers.toLocaleString('en')} readers, ${perTurn} per turn, ${paused ? 'with pauses' : 'back to back'}`,
  id: `fan-out.${readers}.100.${paused ? 'paused.' : ''}${perTurn}.cpu`,
})

/** Ours is to be close to the floor in either rhythm, and far below other peers back to back, where the kernel's share leaves room. */
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

const OPEN = 'open loop, 1,000 events/s to 1,000 readers'
const P99 = 'p99 at 20 events/s of 1 KiB to 1,000 readers'
const MEMORY = 'memory per idle connection, as many as file descriptors allow'
const REPLAY = 'replay of 10,000 events'
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
  within('accepting: CPU per connection, server up for a while', 'accept.again', 'tutorial', 1.1),
  within('accepting: CPU per connection, server just started', 'accept.5000', 'tutorial', 1.1),
  within(`${REPLAY} to one reader`, 'resume.one.ms', 'net', 1),
  times(`${REPLAY} to one reader`, 'resume.one.ms', 'fastify', 20),
  within(`${REPLAY} to fifty readers`, 'resume.fifty.ms', 'net', 1),
  times(`${REPLAY} to fifty readers`, 'resume.fifty.ms', 'fastify', 20),
  {
    of: STALLED,
    what: 'kept per stalled reader',
    limit: 0.1,
    side: 'most',
    unit: 'MB',
    measure: (look, server) => look('stalled.kept', server),
  },
  {
    of: STALLED,
    what: 'p99 of the others / p99 with none stalled',
    limit: 1.1,
    side: 'most',
    unit: '×',
    measure: (look, server) => look('stalled.slower', server),
  },
  {
    of: `${SERVERS}, p99`,
    what: 'ours / pubsub',
    limit: 1.5,
    side: 'most',
    unit: '×',
    measure: (look, server) => look('servers.p99', `${server}-redis`) / look('servers.p99', 'pubsub'),
  },
  {
    of: `${SERVERS}, publishes/s`,
    what: 'ours / pubsub',
    limit: 0.6,
    side: 'least',
    unit: '×',
    measure: (look, server) => look('servers.rate', `${server}-redis`) / look('servers.rate', 'pubsub'),
  },
]

/** The targets and what was measured, as Markdown; targets that this run did not measure are left out. */
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
    'The `net` column is the same measure with `net` in place of ours: the floor for a server that writes each turn separately, which only fewer writes can go below. How much of it is the kernel, and so how far from it a peer can be at all, differs between machines.',
    ['| case | what | target | ours | `net` | |', '| --- | --- | --: | --: | --: | --- |', ...rows].join(
      '\n',
    ),
  ].join('\n\n')
}
