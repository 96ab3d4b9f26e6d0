import type { Broker, BrokerSink } from './broker.ts'
import { createEpoch, formatCursor } from './cursor.ts'
import { createEntry, type Entry, type Message } from './entry.ts'
import { SseError } from './errors.ts'
import { History, type Retention } from './history.ts'
import { checkNames, number } from './option-checks.ts'

/** The options of {@link memoryBroker}. */
export interface MemoryBrokerOptions {
  /**
   * Bytes that all channels together may retain; beyond that, the largest are shortened.
   * @defaultValue 256 MiB
   */
  readonly bytes?: number | undefined
  /**
   * Channels without readers whose logs are retained; beyond that, those idle for longest are forgotten, empty ones first.
   * @defaultValue 10,000
   */
  readonly idleChannels?: number | undefined
  /** The time in milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined
}

interface Log {
  readonly name: string
  readonly history: History
  readonly sinks: Set<BrokerSink>
  retention: Retention | undefined
}

/** As keys, so that the compiler reports a missing one. */
const OPTIONS: Readonly<Record<keyof MemoryBrokerOptions, true>> = {
  bytes: true,
  idleChannels: true,
  now: true,
}

/**
 * The broker of a single server: its logs are in this process's memory, and lost with it. The default, and the reference.
 *
 * @throws TypeError for an invalid or unknown option
 */
export function memoryBroker(options: MemoryBrokerOptions = {}): Broker {
  checkNames('', options, OPTIONS)
  const { now = Date.now } = options
  const maxBytes = number('bytes', options.bytes ?? 256 * 1024 * 1024, 0)
  const idleChannels = number('idleChannels', options.idleChannels ?? 10_000, 0)
  const epoch = createEpoch(Date.now(), Math.random)
  /** Shared by all histories: quiet channels are complete up to the head as well. */
  const head = { g: 0 }
  const logs = new Map<string, Log>()
  /** Logs without sinks that hold something, the longest idle first. */
  const idle = new Map<string, Log>()
  /** Logs without sinks that hold only states, which never expire. */
  const lasting = new Map<string, Log>()
  /** Logs without sinks and entries to replay: they only say what was evicted, so that a resume gets no false gap. */
  const spent = new Map<string, Log>()
  let bytes = 0
  /** The highest position of all forgotten channels: a new channel may be one of them. */
  let forgotten = 0
  let closed = false

  /** @returns `undefined` if the entry must be made again, since a listener has published or left meanwhile */
  function publish(log: Log, message: Message, at: number, retention: Retention): Entry | undefined {
    const { history, name, sinks } = log
    const entry = createEntry(message, epoch, head.g + 1, at)
    const evicted = history.evictedBy(entry, retention)
    if (evicted > 0) {
      for (const sink of sinks) sink.beforeEviction(evicted)
      if (head.g >= entry.g || logs.get(name) !== log) return undefined
    }
    head.g = entry.g
    log.retention = retention
    change(log, () => history.append(entry, retention))
    if (sinks.size === 0) touch(log)
    // First, so that readers were offered what may be dropped next.
    for (const sink of sinks) sink.changed(name)
    if (bytes > maxBytes) shrinkLargest()
    if (idle.size + lasting.size + spent.size > 0) forgetIdle(entry.at)
    return entry
  }

  function logOf(name: string): Log {
    let log = logs.get(name)
    if (log === undefined) {
      log = { name, history: new History(head, forgotten), sinks: new Set(), retention: undefined }
      logs.set(name, log)
    }
    return log
  }

  function change(log: Log, act: () => void): void {
    bytes -= log.history.bytes
    act()
    bytes += log.history.bytes
  }

  function touch(log: Log): void {
    wake(log.name)
    // Channels that were never published to must not push out others.
    const kept = log.history.length === 0 ? spent : idle
    kept.set(log.name, log)
  }

  function wake(name: string): void {
    for (const logs of [idle, lasting, spent]) logs.delete(name)
  }

  /** Visits every channel, and halves the largest, so that it is rarely needed. */
  function shrinkLargest(): void {
    for (const { sinks } of logs.values()) for (const sink of sinks) sink.beforeEviction()
    while (bytes > maxBytes) {
      let largest: Log | undefined
      for (const log of logs.values()) if (log.history.bytes > (largest?.history.bytes ?? 0)) largest = log
      if (largest === undefined) return
      const { history } = largest
      change(largest, () => history.shrink(Math.floor(history.bytes / 2)))
    }
  }

  /** Expires idle logs, and forgets those that are too many; visits only the ones idle for longest. */
  function forgetIdle(time: number): void {
    for (const log of idle.values()) {
      expire(log, time)
      const before = time - (log.retention?.age ?? 0)
      if (!log.history.isAgeless(before)) break
      idle.delete(log.name)
      const kept = log.history.isSpent(before) ? spent : lasting
      kept.set(log.name, log)
    }
    for (const logs of [spent, lasting, idle]) {
      for (const log of logs.values()) {
        if (spent.size + lasting.size + idle.size <= idleChannels) return
        forget(log)
      }
    }
  }

  function expire(log: Log, time: number): void {
    const { history, retention, sinks } = log
    if (retention === undefined) return
    const evicted = history.olderThan(time - retention.age)
    if (evicted === 0) return
    for (const sink of sinks) sink.beforeEviction(evicted)
    change(log, () => history.expire(time - retention.age))
  }

  function forget(log: Log): void {
    wake(log.name)
    logs.delete(log.name)
    bytes -= log.history.bytes
    forgotten = Math.max(forgotten, log.history.last)
  }

  const refusal = (): SseError =>
    new SseError('ERR_SSE_BROKER', 503, 'The broker is closed: publish before hub.close().')

  function sinksBut(channel: string, except: BrokerSink): readonly BrokerSink[] {
    return [...(logs.get(channel)?.sinks ?? [])].filter((sink) => sink !== except)
  }

  return {
    elsewhere: {
      size: (channel, except) => sinksBut(channel, except).reduce((sum, sink) => sum + sink.size(channel), 0),
      async disconnect(channel, except) {
        for (const sink of sinksBut(channel, except)) sink.disconnect(channel)
      },
    },
    async publish(channel, message, retention) {
      for (;;) {
        if (closed) throw refusal()
        const log = logOf(channel)
        if (log.history.end !== undefined) {
          throw new SseError(
            'ERR_SSE_CHANNEL_ENDED',
            409,
            `The channel ${JSON.stringify(channel)} has ended: publish on another one.`,
          )
        }
        const entry = publish(log, message, now(), retention)
        if (entry !== undefined) return formatCursor(epoch, entry.g)
      }
    },
    attach(channels, sink) {
      if (closed) return Promise.reject(refusal())
      for (const channel of channels) {
        logOf(channel).sinks.add(sink)
        wake(channel)
      }
      return undefined
    },
    detach(channel, sink) {
      const log = logs.get(channel)
      if (log === undefined) return
      log.sinks.delete(sink)
      if (log.sinks.size > 0) return
      touch(log)
      forgetIdle(now())
    },
    read(channels) {
      const time = now()
      const histories = new Map<string, History>()
      for (const channel of channels) {
        const log = logOf(channel)
        expire(log, time)
        histories.set(channel, log.history)
      }
      return { epoch, head: head.g, histories }
    },
    async close() {
      closed = true
      logs.clear()
      idle.clear()
      lasting.clear()
      spent.clear()
    },
  }
}
