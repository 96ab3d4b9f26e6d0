import type { Broker, Message } from '@sse/express'
import { redisBroker } from '@sse/redis'
import { createClient } from 'redis'
import { chosen, type Plan, progress } from '../plan.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { takeTurns } from '../rounds.ts'
import { column, type Section } from '../section.ts'

const SIZES: Readonly<Record<string, number>> = { '100 B': 100, '1 KiB': 1024 }
const RETENTION = { length: 10_000, bytes: 16_000_000, age: 3_600_000 }

const CHANNELS = 500
/** Events in each channel when it is read, and between which counts an event's memory is measured: Redis allocates by the page. */
const READ = 10
const HALF = 50
const FULL = 100
/** Publishes over which the CPU is measured: under load, and one at a time. */
const MANY = 4_000
const SINGLE = 500
/** Processes that follow a channel. */
const SUBSCRIBERS = 20

/** What @sse/redis costs Redis: the figures from which to calculate how much one Redis can carry. */
export async function redis(plan: Plan): Promise<Section[]> {
  progress('one Redis')
  const rounds = Math.min(2, plan.rounds)
  const outcomes = await takeTurns(chosen(plan, Object.keys(SIZES), undefined, rounds), measure)
  const figure = (id: keyof Awaited<ReturnType<typeof measure>>, title: string, unit: string) =>
    column(`redis.${id}`, title, unit, outcomes, id)
  return [
    {
      title: 'One Redis',
      about: `What @sse/redis costs Redis, by the size of events. CPU per publish: under load, each to another channel or in a run on one channel, and alone, one at a time. For each process that follows the channel: further CPU per event, and the bytes sent to it, in a run and alone. CPU of reading channels of ${READ} events: alone, and per channel when many are read at once. Memory: of a channel with one event, and of each of many events in it.`,
      baseline: '100 B',
      columns: [
        figure('publish', 'publish, each to another channel', 'µs'),
        figure('run', 'publish, in a run', 'µs'),
        figure('alone', 'publish, alone', 'µs'),
        figure('subscriberRun', 'per process, in a run', 'µs'),
        figure('subscriber', 'per process, alone', 'µs'),
        figure('noteRun', 'bytes to each process, in a run', 'B'),
        figure('note', 'bytes to each process, alone', 'B'),
        figure('read', 'read, alone', 'µs'),
        figure('readChannel', 'read, per channel of many', 'µs'),
        figure('channel', 'memory of a channel', 'B'),
        figure('event', 'memory of each event', 'B'),
      ],
    },
  ]
}

/** A broker with a connection of its own, as a process has it. */
interface Process {
  readonly broker: Broker
  close(): Promise<void>
}

async function connect(url: string): Promise<Process> {
  const client = await createClient({ url }).connect()
  const broker = redisBroker({ client, publishTimeout: 60_000 })
  const close = async (): Promise<void> => {
    await broker.close()
    client.destroy()
  }
  return { broker, close }
}

async function measure(size: string) {
  const server = await startRedis()
  const processes: Process[] = []
  const join = async (): Promise<Broker> => {
    const process = await connect(server.url)
    processes.push(process)
    return process.broker
  }
  try {
    const publisher = await join()
    const message: Message = {
      kind: 'event',
      event: 'news',
      data: JSON.stringify('x'.repeat(SIZES[size] ?? 0)),
      key: undefined,
    }
    const publish = (channel: string): Promise<string> => publisher.publish(channel, message, RETENTION)
    const names = Array.from({ length: CHANNELS }, (_, index) => `user:${index}`)
    // The first call loads the script.
    await publish('news')

    const empty = await server.usage()
    await Promise.all(names.map(publish))
    const first = await server.usage()
    const fill = async (from: number, to: number): Promise<void> => {
      for (let event = from; event < to; event++) await Promise.all(names.map(publish))
    }
    await fill(1, READ)
    const reader = await join()
    const read = async (name: string): Promise<unknown> => reader.read([name], 0)
    const readOne = await spent(server, () => oneByOne(SINGLE, (index) => read(names[index] ?? '')))
    const readAll = await spent(server, () => Promise.all(names.map(read)))
    const apart = await spent(server, () => fill(READ, HALF))
    const half = await server.usage()
    await fill(HALF, FULL)
    const full = await server.usage()

    const run = (): Promise<unknown> => Promise.all(Array.from({ length: MANY }, () => publish('news')))
    const single = (): Promise<void> => oneByOne(SINGLE, () => publish('news'))
    const unheard = { run: await spent(server, run), alone: await spent(server, single) }

    const sink = { changed() {}, beforeEviction() {}, reset() {}, size: () => 0, disconnect() {} }
    for (let count = 0; count < SUBSCRIBERS; count++) await (await join()).attach(['news'], sink)
    const heard = { run: await spent(server, run), alone: await spent(server, single) }
    return {
      publish: apart.cpu / CHANNELS / (HALF - READ),
      run: unheard.run.cpu / MANY,
      alone: unheard.alone.cpu / SINGLE,
      subscriberRun: (heard.run.cpu - unheard.run.cpu) / MANY / SUBSCRIBERS,
      subscriber: (heard.alone.cpu - unheard.alone.cpu) / SINGLE / SUBSCRIBERS,
      noteRun: (heard.run.sent - unheard.run.sent) / MANY / SUBSCRIBERS,
      note: (heard.alone.sent - unheard.alone.sent) / SINGLE / SUBSCRIBERS,
      read: readOne.cpu / SINGLE,
      readChannel: readAll.cpu / CHANNELS,
      channel: (first.memory - empty.memory) / CHANNELS,
      event: (full.memory - half.memory) / CHANNELS / (FULL - HALF),
    }
  } finally {
    await Promise.all(processes.map((process) => process.close()))
    await server.stop()
  }
}

async function oneByOne(times: number, act: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < times; index++) await act(index)
}

/** What an act costs Redis. */
async function spent(
  server: RedisServer,
  act: () => Promise<unknown>,
): Promise<{ cpu: number; sent: number }> {
  const before = await server.usage()
  await act()
  const after = await server.usage()
  return { cpu: after.cpu - before.cpu, sent: after.sent - before.sent }
}
