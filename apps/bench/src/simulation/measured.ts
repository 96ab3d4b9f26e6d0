/** A figure that was measured, with its unit. */
export interface Measured {
  readonly what: string
  readonly value: number
  readonly unit: 'µs' | 'B'
  /** The table of RESULTS.md that has it. */
  readonly table: string
}

const measured = (value: number, unit: Measured['unit'], table: string, what: string): Measured => ({
  what,
  value,
  unit,
  table,
})

/** What the calculation starts from: `pnpm bench` on the machine of RESULTS.md, rounded. */
export const MEASURED = {
  memory: measured(18_300, 'B', 'Idle connections', 'memory of a server for a stream'),
  delivery: measured(12.8, 'µs', 'Fan-out to 5,000 readers', 'a server, to deliver an event to a reader'),
  resume: measured(370, 'µs', 'Resume', 'a server, to take a reader back and replay 100 events'),
  wire: measured(157, 'B', 'Event stream, WebSocket, polling', 'an event of 100 B to a reader'),
  publish: measured(25.5, 'µs', 'One Redis', 'Redis, to store and tell an event, under load'),
  publishAlone: measured(75, 'µs', 'One Redis', 'the same, for one that comes alone'),
  subscriber: measured(0.45, 'µs', 'One Redis', 'Redis, for each process that hears of it'),
  note: measured(242, 'B', 'One Redis', 'what it sends to each of these, of 100 B'),
  publishLarge: measured(30.3, 'µs', 'One Redis', 'Redis, to store and tell an event of 1 KiB'),
  subscriberLarge: measured(0.86, 'µs', 'One Redis', 'Redis, for each process that hears of it'),
  noteLarge: measured(1_167, 'B', 'One Redis', 'what it sends to each of these, of 1 KiB'),
  read: measured(116, 'µs', 'One Redis', 'Redis, to read a channel of ten events'),
  readChannel: measured(49, 'µs', 'One Redis', 'the same, for each of many channels in a call'),
  channel: measured(4_700, 'B', 'One Redis', 'memory of Redis for a channel, with room for 4 KB of events'),
  event: measured(167, 'B', 'One Redis', 'the same, for each event of 100 B beyond that'),
} as const satisfies Record<string, Measured>
