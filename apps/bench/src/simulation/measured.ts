/** A figure that was measured, with its unit. */
interface Measured {
  readonly what: string
  readonly value: number
  readonly unit: 'µs' | 'B'
  /** The table of RESULTS.md that has it. */
  readonly table: string
}

/**
 * What events of one size cost Redis, in µs: to store and announce one among many, each on another channel (`apart`), or one
 * after the other on one channel (`run`), and by itself (`alone`); then for each process that receives it, also in bytes.
 */
type EventCosts = Readonly<
  Record<'apart' | 'run' | 'alone' | 'hearer' | 'hearerOfRun' | 'note' | 'noteOfRun', Measured>
>

const measured = (value: number, unit: Measured['unit'], table: string, what: string): Measured => ({
  what,
  value,
  unit,
  table,
})

const REDIS = 'One Redis'

const eventCosts = (size: string, values: Readonly<Record<keyof EventCosts, number>>): EventCosts => ({
  apart: measured(
    values.apart,
    'µs',
    REDIS,
    `Redis, for an event of ${size} among many, each on another channel`,
  ),
  run: measured(values.run, 'µs', REDIS, '… in a run, one after the other on one channel'),
  alone: measured(values.alone, 'µs', REDIS, '… that comes alone'),
  hearer: measured(values.hearer, 'µs', REDIS, '… and for each process that receives it'),
  hearerOfRun: measured(values.hearerOfRun, 'µs', REDIS, '… of each in a run'),
  note: measured(values.note, 'B', REDIS, 'bytes to each of these processes'),
  noteOfRun: measured(values.noteOfRun, 'B', REDIS, '… of each in a run'),
})

/** What the calculation starts from: `pnpm bench` on the machine of RESULTS.md, rounded. */
export const MEASURED = {
  memory: measured(14_200, 'B', 'Idle connections', 'memory of a server for a stream'),
  delivery: measured(
    8,
    'µs',
    'Fan-out to 5,000 readers, with pauses',
    'a server, to deliver an event to a reader, one in a turn',
  ),
  resume: measured(280, 'µs', 'Resume', 'a server, to take a reader back and replay 100 events'),
  wire: measured(159, 'B', 'Event stream, WebSocket, polling', 'an event of 100 B to a reader'),
  small: eventCosts('100 B', {
    apart: 20,
    run: 1.4,
    alone: 90,
    hearer: 2.3,
    hearerOfRun: 0.07,
    note: 245,
    noteOfRun: 124,
  }),
  large: eventCosts('1 KiB', {
    apart: 26,
    run: 6.3,
    alone: 90,
    hearer: 2.9,
    hearerOfRun: 0.41,
    note: 1_171,
    noteOfRun: 1_057,
  }),
  read: measured(109, 'µs', REDIS, 'Redis, to read a channel of ten events, alone'),
  readChannel: measured(47, 'µs', REDIS, '… for each of many in a call'),
  channel: measured(4_600, 'B', REDIS, 'memory of Redis for a channel, with room for 4 KB of events'),
  event: measured(166, 'B', REDIS, '… for each event of 100 B beyond that'),
}

/** All of them, one after the other. */
export const measuredFigures = (): readonly Measured[] =>
  Object.values(MEASURED).flatMap((entry) => ('value' in entry ? [entry] : Object.values(entry)))
