import { count, grid, rough } from './grid.ts'
import { MEASURED, measuredFigures } from './measured.ts'

/** The assumed load of every stream: events of 100 B, on one channel for all and on one channel of its own. */
const WORKLOAD = {
  /** Events per second to all. */
  common: 1,
  /** Events per second to each. */
  own: 1 / 60,
  /** How long events are kept, in seconds. */
  age: 300,
}

/** Streams of a process. */
const STREAMS = 10_000
/** Bytes that Redis gives a channel for its first events. */
const PAGE = 4_096
/** The share of a core that a Redis primary is planned to use. */
const SHARE = 0.5
const GIGABIT = 1e9 / 8

/** What a hub of this many streams needs. */
interface Fleet {
  readonly streams: number
  /** One more than they need, so that one may restart; three at least. */
  readonly processes: number
  /** Of a process: cores, and bytes of memory for its streams. */
  readonly cores: number
  readonly memory: number
  /** Bytes a second to all readers. */
  readonly toReaders: number
  readonly publishes: number
  /** Cores of Redis where each publish comes alone, and where calls are full. */
  readonly redisAlone: number
  readonly redisFull: number
  /** Bytes that Redis holds, and sends to the processes in a second. */
  readonly redisMemory: number
  readonly fromRedis: number
  /** The least number of primaries, at half a core each. */
  readonly primaries: number
}

export function fleet(streams: number): Fleet {
  const { channel, delivery, event, memory, small, wire } = MEASURED
  const { age, common, own } = WORKLOAD
  const processes = Math.max(3, Math.ceil(streams / STREAMS) + 1)
  const each = streams / processes
  const publishes = common + streams * own
  const hearings = common * processes + streams * own
  const redisFull = (publishes * small.apart.value + hearings * small.hearer.value) / 1e6
  const beyond = Math.max(0, own * age * event.value - PAGE)
  return {
    streams,
    processes,
    cores: (each * (common + own) * delivery.value) / 1e6,
    memory: each * memory.value,
    toReaders: streams * (common + own) * wire.value,
    publishes,
    redisAlone: (publishes * small.alone.value + hearings * small.hearer.value) / 1e6,
    redisFull,
    redisMemory: streams * (channel.value + beyond),
    fromRedis: hearings * small.note.value,
    primaries: Math.ceil(redisFull / SHARE),
  }
}

type Size = 'small' | 'large'

/** How many publishes per second one primary can take on a channel that this many processes follow, and the bytes per second that it then sends. */
export function limit(
  processes: number,
  size: Size,
): { readonly alone: number; readonly run: number; readonly bytes: number } {
  const { alone, hearer, hearerOfRun, noteOfRun, run } = MEASURED[size]
  const inRuns = (SHARE * 1e6) / (run.value + processes * hearerOfRun.value)
  return {
    alone: (SHARE * 1e6) / (alone.value + processes * hearer.value),
    run: inRuns,
    bytes: inRuns * processes * noteOfRun.value,
  }
}

const SIZES = [10_000, 1_000_000, 10_000_000]

/** The measured figures that the calculation starts from. */
export const figures = (): string =>
  grid(
    ['', 'measured', 'in RESULTS.md'],
    measuredFigures().map(({ table, unit, value, what }) => [
      what,
      `${value.toLocaleString('en')} ${unit}`,
      table,
    ]),
  )

/** What hubs of three sizes need. */
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
      row('cores of Redis, publishes that come alone', ({ redisAlone }) => rough(redisAlone)),
      row('cores of Redis, full calls', ({ redisFull }) => rough(redisFull)),
      row('memory of Redis, GB', ({ redisMemory }) => rough(redisMemory / 1e9)),
      row('from Redis to the processes, Mbit/s', ({ fromRedis }) => rough((fromRedis / GIGABIT) * 1_000)),
      row('Redis primaries, at least', ({ primaries }) => count(primaries)),
    ],
  )
}

/** The limits of one Redis primary. */
export const primary = (): string =>
  grid(
    [
      'processes that follow the channel',
      '100 B: alone/s',
      'in runs/s',
      'Gbit/s',
      '1 KiB: alone/s',
      'in runs/s',
      'Gbit/s',
    ],
    [1, 3, 10, 101, 1_001].map((processes) => {
      const cells = (['small', 'large'] as const).flatMap((size) => {
        const { alone, bytes, run } = limit(processes, size)
        return [rough(alone), rough(run), rough(bytes / GIGABIT)]
      })
      return [count(processes), ...cells]
    }),
  )
