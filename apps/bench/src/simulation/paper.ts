import { count, grid, rough } from './grid.ts'
import { MEASURED } from './measured.ts'

/** What every stream is assumed to carry: events of 100 B, of one channel for all and of one channel of its own. */
const WORKLOAD = {
  /** Events a second to all. */
  common: 1,
  /** Events a second to each. */
  own: 1 / 60,
  /** Seconds that events are kept. */
  age: 300,
}

/** Streams of a process. */
const STREAMS = 10_000
/** Bytes that Redis gives a channel for its first events. */
const PAGE = 4_096
/** Share of a core of Redis that is planned with. */
const SHARE = 0.5
const GIGABIT = 1e9 / 8

/** What a hub of so many streams takes. */
export interface Fleet {
  readonly streams: number
  /** One more than they need, so that one may restart; three at least. */
  readonly processes: number
  /** Of a process: cores, and bytes of memory for its streams. */
  readonly cores: number
  readonly memory: number
  /** Bytes a second to all readers. */
  readonly toReaders: number
  readonly publishes: number
  /** Of Redis: cores, memory in bytes, and bytes a second to the processes. */
  readonly redisCores: number
  readonly redisMemory: number
  readonly fromRedis: number
  /** Primaries that it takes, at half a core each. */
  readonly primaries: number
}

const value = (name: keyof typeof MEASURED): number => MEASURED[name].value

export function fleet(streams: number): Fleet {
  const { age, common, own } = WORKLOAD
  const processes = Math.max(3, Math.ceil(streams / STREAMS) + 1)
  const each = streams / processes
  const perStream = common + own
  const publishes = common + streams * own
  // Who publishes seldom pays for each call.
  const publish = publishes < 1e6 / value('publishAlone') ? value('publishAlone') : value('publish')
  const redisCores = (publishes * publish + (common * processes + streams * own) * value('subscriber')) / 1e6
  const kept = Math.max(0, own * age * value('event') - PAGE)
  return {
    streams,
    processes,
    cores: (each * perStream * value('delivery')) / 1e6,
    memory: each * value('memory'),
    toReaders: streams * perStream * value('wire'),
    publishes,
    redisCores,
    redisMemory: streams * (value('channel') + kept),
    fromRedis: (common * processes + streams * own) * value('note'),
    primaries: Math.ceil(redisCores / SHARE),
  }
}

/** How many publishes a second on one channel one primary tells so many processes of, and what leaves it then, in bytes a second. */
export function limit(processes: number, size: '' | 'Large'): { publishes: number; bytes: number } {
  const publishes = (SHARE * 1e6) / (value(`publish${size}`) + processes * value(`subscriber${size}`))
  return { publishes, bytes: publishes * processes * value(`note${size}`) }
}

const SIZES = [10_000, 1_000_000, 10_000_000]

/** Where the calculation starts from. */
export const figures = (): string =>
  grid(
    ['', 'measured', 'in RESULTS.md'],
    Object.values(MEASURED).map(({ table, unit, value, what }) => [
      what,
      `${value.toLocaleString('en')} ${unit}`,
      table,
    ]),
  )

/** What hubs of three sizes take. */
export function fleets(): string {
  const columns = SIZES.map(fleet)
  const row = (title: string, cell: (fleet: Fleet) => string): string[] => [title, ...columns.map(cell)]
  return grid(
    ['streams', ...SIZES.map(count)],
    [
      row('processes', ({ processes }) => count(processes)),
      row('cores of a process, delivering', ({ cores }) => rough(cores)),
      row('memory of a process for its streams, MB', ({ memory }) => rough(memory / 1e6)),
      row('to all readers, Gbit/s', ({ toReaders }) => rough(toReaders / GIGABIT)),
      row('publishes/s', ({ publishes }) => rough(publishes)),
      row('cores of Redis', ({ redisCores }) => rough(redisCores)),
      row('memory of Redis, GB', ({ redisMemory }) => rough(redisMemory / 1e9)),
      row('from Redis to the processes, Mbit/s', ({ fromRedis }) => rough((fromRedis / GIGABIT) * 1_000)),
      row('Redis primaries', ({ primaries }) => count(primaries)),
    ],
  )
}

/** Where one Redis primary ends. */
export const primary = (): string =>
  grid(
    ['processes that hear of each', 'publishes/s, 100 B', 'Gbit/s', 'publishes/s, 1 KiB', 'Gbit/s'],
    [1, 3, 10, 101, 1_001].map((processes) => {
      const cells = (['', 'Large'] as const).flatMap((size) => {
        const { bytes, publishes } = limit(processes, size)
        return [rough(publishes), rough(bytes / GIGABIT)]
      })
      return [count(processes), ...cells]
    }),
  )
