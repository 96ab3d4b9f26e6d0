import { AsyncLocalStorage } from 'node:async_hooks'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { defineEvents, payload, state } from '@sse/contract'
import { createDecoder } from '@sse/protocol'
import type { Reading } from '../../src/broker.ts'
import type { Broker, Hub, MemoryBrokerOptions, SseOptions, Stream } from '../../src/index.ts'
import { type Keeps, Log, type Published, type Said } from './log.ts'
import { Oracle } from './oracle.ts'
import { Body, Exchanges, Wire } from './wire.ts'

const events = defineEvents({
  note: payload<{ n: number; pad: string }>(),
  state: state<{ n: number; pad: string; key: string }>(({ key }) => key),
  private: payload<number>(),
})
type Events = typeof events

/** What is on trial: the package, or a mutant of it. */
export interface Library {
  sse(options: SseOptions<Events>): Hub<Events>
  memoryBroker(options: MemoryBrokerOptions): Broker
}

export interface Settings {
  readonly keeps: Readonly<Record<string, Keeps>>
  readonly idleChannels: number
  /** Bytes that wait in a socket before it asks for patience. */
  readonly highWaterMark: number
  /** Whether chunks may go straight to the socket, or each is written to the response. */
  readonly straight: boolean
  /** Whether the broker answers at once, so that a join takes effect at once. */
  readonly prompt: boolean
  /** A channel on which the application publishes as soon as it hears that somebody has missed something. */
  readonly answers: string | undefined
}

/** With which id a reader comes. */
export type Coming =
  | { readonly with: 'nothing' | 'its last' | 'garbage' | 'the future' }
  /** One that any reader had at any time. */
  | { readonly with: 'an earlier'; readonly index: number }

/** One step of a history of the world. Channels are named, readers numbered. */
export type Step =
  | {
      readonly do: 'publish'
      readonly channel: string
      readonly key: string | undefined
      readonly size: number
    }
  | { readonly do: 'burst'; readonly channel: string; readonly count: number }
  | { readonly do: 'remove'; readonly channel: string; readonly key: string }
  | { readonly do: 'end'; readonly channel: string }
  | ({ readonly do: 'connect'; readonly reader: number; readonly coming: Coming } & Joining & {
        readonly greeted: boolean
      })
  | ({ readonly do: 'join'; readonly reader: number } & Joining)
  | { readonly do: 'leave'; readonly reader: number; readonly channel: string }
  | { readonly do: 'send'; readonly reader: number }
  /** The connection breaks after this share of the bytes that had arrived. */
  | { readonly do: 'drop'; readonly reader: number; readonly share: number }
  | { readonly do: 'stall' | 'drain' | 'beat' | 'disconnect' | 'close'; readonly reader: number }
  | { readonly do: 'pass'; readonly milliseconds: number }
  | { readonly do: 'restart' | 'yield' | 'rest' }

interface Joining {
  readonly channels: readonly string[]
  readonly last: number
}

interface Connection {
  readonly wire: Wire
  readonly response: ServerResponse
  readonly stream: Stream<Events>
  readonly oracle: Oracle
  readonly cursor: string | undefined
  /** The serial numbers of joins under way, and of leaves that come after them. */
  readonly joining: Set<number>
  leaving: { readonly channel: string; readonly serial: number }[]
}

/** Where a read of the broker belongs to. */
interface Errand {
  readonly connection: Connection
  readonly last: number
  readonly serial: number
}

/** How often the application answers in one history of the world. */
const ANSWERS = 20

const exchanges = new Exchanges()
/** A request of nobody, so that a hub that publishes first is known to be mounted. */
const nobody = new ServerResponse(new IncomingMessage(new Socket()))
const errands = new AsyncLocalStorage<Errand>()

/** A hub with its readers: steps are taken on the server, and the {@link Oracle} of each connection watches. */
export class World {
  readonly violations: string[] = []
  readonly #library: Library
  readonly #settings: Settings
  readonly #connections = new Map<number, Connection>()
  /** Every connection of the running hub, those that broke included. */
  readonly #oracles = new Set<Oracle>()
  /** The last id of each reader, and every id that any of them has had. */
  readonly #lastIds = new Map<number, string>()
  readonly #ids: string[] = []
  #hub: Hub<Events>
  #log: Log
  #now = 1_000_000
  #serial = 0
  #answered = 0
  /** Writes so far: whether anything still happens. */
  #writes = 0
  /** How many attachments a channel has; one that was ever without may have been forgotten. */
  readonly #attachments = new Map<string, number>()
  readonly #idled = new Set<string>()

  constructor(library: Library, settings: Settings) {
    this.#library = library
    this.#settings = settings
    this.#hub = this.#open()
    this.#log = new Log('', () => false)
  }

  /** Takes steps one after the other, then lets everything come to rest. */
  async run(steps: readonly Step[]): Promise<void> {
    await this.#begin()
    for (const step of steps) await this.#take(step)
    for (const { wire } of this.#connections.values()) wire.release()
    await this.#rest()
    for (const reader of [...this.#connections.keys()]) this.#drop(reader, 1)
    await this.#rest()
    const { channels, streams } = this.#hub.stats()
    if (channels + streams > 0) this.#fail(`left behind: ${channels} channels, ${streams} streams`)
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.channel, this.#say(step.key, step.size))
      case 'burst':
        for (let count = 0; count < step.count; count++)
          await this.#publish(step.channel, this.#say(undefined, 0))
        return
      case 'remove':
        return this.#publish(step.channel, { kind: 'remove', key: step.key })
      case 'end':
        return this.#publish(step.channel, { kind: 'end', reason: `over ${++this.#serial}` })
      case 'connect':
        return this.#connect(step.reader, step)
      case 'pass':
        this.#now += step.milliseconds
        return
      case 'yield':
        await undefined
        return
      case 'rest':
        return this.#rest()
      case 'restart':
        for (const reader of [...this.#connections.keys()]) this.#drop(reader, 1)
        await this.#rest()
        this.#hub = this.#open()
        return this.#begin()
      default: {
        const connection = this.#connections.get(step.reader)
        if (connection !== undefined) this.#act(connection, step)
      }
    }
  }

  #act(
    connection: Connection,
    step: Exclude<Extract<Step, { readonly reader: number }>, { do: 'connect' }>,
  ): void {
    const { joining, oracle, response, stream, wire } = connection
    switch (step.do) {
      case 'join':
        this.#join(connection, step)
        return
      case 'leave':
        stream.leave(step.channel)
        if (joining.size === 0) {
          oracle.left(step.channel)
          return
        }
        // A join under way is left when it is done.
        oracle.leaving(step.channel)
        connection.leaving.push({ channel: step.channel, serial: ++this.#serial })
        return
      case 'send':
        if (oracle.ending || response.writableEnded || response.destroyed) return
        oracle.sent(JSON.stringify(++this.#serial), joining.size > 0)
        stream.send('private', this.#serial)
        return
      case 'drop':
        this.#drop(step.reader, step.share)
        return
      case 'stall':
        wire.stall()
        return
      case 'drain':
        wire.release()
        return
      case 'beat':
        if (isFed(stream) && !stream.feed.waiting) stream.feed.beat()
        return
      case 'disconnect':
        stream.disconnect()
        return
      case 'close':
        if (!response.writableEnded) oracle.close('done')
        stream.close()
        return
    }
  }

  // The hub

  #open(): Hub<Events> {
    const { idleChannels, keeps } = this.#settings
    const broker = this.#library.memoryBroker({ idleChannels, now: () => this.#now })
    const hub = this.#library.sse({
      events,
      broker: this.#watch(broker),
      history: (name) => keeps[name] ?? {},
    })
    hub(nobody.req, nobody, () => {})
    hub.on('error', (error) => this.#fail(`hub error: ${String(error)}`))
    hub.on('gap', () => this.#answer())
    return hub
  }

  async #begin(): Promise<void> {
    const epoch = (await this.#hub.cursor()).replace(/-.*/, '')
    this.#log = new Log(epoch, (channel) => this.#settings.keeps[channel] ?? false)
    this.#oracles.clear()
    this.#attachments.clear()
    this.#idled.clear()
  }

  /** The same broker, whose reads tell the oracle when the server decides what a reader is due. */
  #watch(broker: Broker): Broker {
    return {
      publish: broker.publish,
      attach: (channels, sink) => {
        for (const channel of channels)
          this.#attachments.set(channel, (this.#attachments.get(channel) ?? 0) + 1)
        return broker.attach(channels, sink)
      },
      detach: (channel, sink) => {
        this.#idled.add(channel)
        broker.detach(channel, sink)
      },
      read: (channels, after) => {
        const now = this.#now
        const answer = broker.read(channels, after)
        for (const channel of channels) this.#log.expire(channel, now)
        const done = (reading: Reading): Reading => {
          const origins = new Map([...reading.histories].map(([channel, { origin }]) => [channel, origin]))
          for (const [channel, origin] of origins) this.#checkOrigin(channel, origin, now)
          const errand = errands.getStore()
          if (errand !== undefined) leaveUntil(errand.connection, errand.serial)
          errand?.connection.oracle.read(channels, errand.last, reading.head, origins)
          return reading
        }
        return 'then' in answer || !this.#settings.prompt ? Promise.resolve(answer).then(done) : done(answer)
      },
      close: broker.close,
    }
  }

  /** A log that begins later than the first one stands for channels that were forgotten. */
  #checkOrigin(channel: string, origin: number, now: number): void {
    if (origin === 0) return
    const forgettable = [...this.#idled].some((name) => this.#log.of(name).some(({ g }) => g === origin))
    if (!forgettable) this.#fail(`the log of ${channel} begins at ${origin}, where nothing was forgotten`)
    this.#log.forget(channel, origin)
    this.#log.expire(channel, now)
  }

  // What is published

  #say(key: string | undefined, size: number): Said {
    const pad = 'x'.repeat(size)
    const n = ++this.#serial
    if (key === undefined) return { kind: 'note', data: JSON.stringify({ n, pad }) }
    return { kind: 'state', key, data: JSON.stringify({ n, pad, key }) }
  }

  async #publish(channel: string, said: Said): Promise<void> {
    const log = this.#log
    const end = log.end(channel)
    // Only the answer says whether the channel, and its end, was forgotten: nothing else may happen meanwhile.
    if (end !== undefined) await this.#rest()
    const healthy = [...this.#connections.values()].filter(isHealthy)
    const kept = log.retained(channel)
    const publishing = this.#tell(channel, said)
    if (end !== undefined) {
      const id = await publishing.catch(() => undefined)
      if (id === undefined) return
      if (!this.#idled.has(channel)) this.#fail(`published on ${channel} after its end`)
      log.forget(channel, log.head)
    }
    // What a listener published meanwhile came first.
    const entry = log.publish(channel, said, this.#now)
    if (end === undefined) this.#expect(publishing, entry)
    this.#idled.add(channel)
    const dropped = new Set(kept.filter((former) => former.dropped))
    for (const connection of healthy) {
      if (isHealthy(connection) && connection.oracle.unoffered().some((missed) => dropped.has(missed))) {
        this.#fail(`dropped before a healthy reader was offered it: ${channel}@${entry.g}`)
      }
    }
    this.#announce(entry)
  }

  /** Publishes in the midst of whatever the hub is doing. */
  #answer(): void {
    const { answers: channel } = this.#settings
    if (channel === undefined || this.#log.end(channel) !== undefined) return
    // Of a channel that keeps one event, two who are slow would make each other miss what is answered, for ever.
    if (++this.#answered > ANSWERS) return
    // What a join has decided, and not yet written, nobody can tell from outside.
    if ([...this.#connections.values()].some(({ joining }) => joining.size > 0)) return
    const said = this.#say(undefined, 0)
    const publishing = this.#tell(channel, said)
    const entry = this.#log.publish(channel, said, this.#now)
    this.#expect(publishing, entry)
    this.#idled.add(channel)
    this.#announce(entry)
  }

  #expect(publishing: Promise<string>, { g }: Published): void {
    const id = this.#log.id(g)
    publishing.then(
      (given) => {
        if (given !== id) this.#fail(`published as ${given}, not ${id}`)
      },
      (error) => this.#fail(`publish failed: ${error}`),
    )
  }

  #announce(entry: Published): void {
    for (const { joining, oracle } of this.#connections.values()) oracle.published(entry, joining.size > 0)
  }

  #tell(channel: string, said: Said): Promise<string> {
    const target = this.#hub.channel(channel)
    switch (said.kind) {
      case 'note':
      case 'state':
        return target.publish(said.kind, JSON.parse(said.data))
      case 'remove':
        return target.remove('state', said.key)
      case 'end':
        return target.end(said.reason)
    }
  }

  // Readers

  async #connect(reader: number, step: Extract<Step, { do: 'connect' }>): Promise<void> {
    if (this.#connections.has(reader)) this.#drop(reader, 1)
    const cursor = this.#cursorOf(reader, step.coming)
    const wire = new Wire(this.#settings.highWaterMark)
    const { request, response } = await exchanges.request(wire, cursor, this.#settings.straight)
    let refused = true
    this.#hub(request, response, () => {
      refused = false
    })
    if (refused !== (cursor?.endsWith('~') ?? false))
      this.#fail(`${cursor} was ${refused ? '' : 'not '}refused`)
    if (refused) {
      this.#lastIds.delete(reader)
      return
    }
    const oracle = new Oracle(this.#log, cursor)
    this.#oracles.add(oracle)
    this.#listen(oracle, wire, response)
    const connection = {
      wire,
      response,
      stream: this.#hub.stream(response),
      oracle,
      cursor,
      joining: new Set<number>(),
      leaving: [],
    }
    this.#connections.set(reader, connection)
    if (step.greeted) this.#act(connection, { do: 'send', reader })
    this.#join(connection, step)
  }

  /** Hears what is written, when it is: to the response, or to its socket. */
  #listen(oracle: Oracle, wire: Wire, response: ServerResponse): void {
    const wrote = (chunk: Buffer): void => {
      this.#writes += 1
      // What is written into a broken connection reaches nobody.
      if (!wire.destroyed) oracle.wrote(chunk)
    }
    if (!this.#settings.straight) {
      const write = response.write.bind(response)
      Object.defineProperty(response, 'write', {
        value: (chunk: Buffer) => {
          wrote(chunk)
          return write(chunk)
        },
      })
      return
    }
    const body = new Body()
    const write = wire.write.bind(wire)
    Object.defineProperty(wire, 'write', {
      value: (piece: Buffer | string, encoding: 'latin1', taken: () => void) => {
        const bytes = typeof piece === 'string' ? Buffer.from(piece, encoding) : piece
        for (const chunk of body.feed(bytes)) wrote(chunk)
        return write(piece, encoding, taken)
      },
    })
  }

  #join(connection: Connection, { channels, last }: Joining): void {
    const { joining, stream } = connection
    const serial = ++this.#serial
    joining.add(serial)
    const joined = errands.run({ connection, last, serial }, () => stream.join(channels, { last }))
    if (this.#settings.prompt) joining.delete(serial)
    joined
      .catch((error: unknown) => this.#fail(`join failed: ${error}`))
      .then(() => {
        joining.delete(serial)
        const before = Math.min(...joining, this.#serial)
        // In the same turn, but not at once.
        setImmediate(() => leaveUntil(connection, before))
      })
  }

  #cursorOf(reader: number, coming: Coming): string | undefined {
    switch (coming.with) {
      case 'nothing':
        return undefined
      case 'its last':
        return this.#lastIds.get(reader)
      case 'an earlier':
        return this.#ids[coming.index % this.#ids.length]
      case 'garbage':
        return '../!'
      case 'the future':
        return this.#log.id(this.#log.head + 1)
    }
  }

  /** The reader has had only a share of what arrived when its connection broke. */
  #drop(reader: number, share: number): void {
    const connection = this.#connections.get(reader)
    if (connection === undefined) return
    const { cursor, wire } = connection
    const { body } = wire
    const decoder = createDecoder({
      lastEventId: cursor ?? '',
      onEvent: ({ id }) => {
        if (id !== '' && id !== this.#ids.at(-1)) this.#ids.push(id)
      },
    })
    decoder.feed(body.subarray(0, Math.round(body.length * share)))
    if (decoder.lastEventId !== '') this.#lastIds.set(reader, decoder.lastEventId)
    wire.destroy()
    this.#connections.delete(reader)
  }

  /** Until nothing moves any more: then everything is to be where it belongs. */
  async #rest(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      const before = this.#writes
      await new Promise(setImmediate)
      if (this.#writes !== before) quiet = -1
    }
    for (const { joining, oracle, response, wire } of this.#connections.values()) {
      if (joining.size > 0) this.#fail('a join never came to an end')
      const cut = response.destroyed || (response.writableEnded && !oracle.closed)
      if (!wire.stalled && !cut) oracle.rested()
      if (!wire.stalled && oracle.closed && !response.writableEnded) this.#fail('open after sse.close')
    }
    for (const oracle of this.#oracles) this.violations.push(...oracle.violations.splice(0))
  }

  #fail(what: string): void {
    this.violations.push(what)
  }
}

/** Leaves what was to be left before a join. */
function leaveUntil(connection: Connection, serial: number): void {
  for (const leave of connection.leaving) if (leave.serial <= serial) connection.oracle.left(leave.channel)
  connection.leaving = connection.leaving.filter((leave) => leave.serial > serial)
}

/** Whether a reader takes what it is offered, so that it may miss nothing. */
const isHealthy = ({ joining, oracle, response, wire }: Connection): boolean =>
  joining.size === 0 &&
  !wire.stalled &&
  !oracle.ending &&
  !response.writableNeedDrain &&
  !wire.writableNeedDrain &&
  !response.writableEnded &&
  !response.destroyed

/** What the heartbeat does to a stream, whose timer would be slow. */
const isFed = (stream: object): stream is { readonly feed: { readonly waiting: boolean; beat(): void } } =>
  'feed' in stream && stream.feed !== undefined
