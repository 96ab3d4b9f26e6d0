import { type Broker, type BrokerSink, formatCursor, SseError } from '@sse/express'
import { Beacon } from './beacon.ts'
import { CallQueue, closedError } from './call-queue.ts'
import { Commands } from './commands.ts'
import { defer } from './deferred.ts'
import { SWEEP_TIME } from './log-lua.ts'
import { decodeNote } from './message.ts'
import { type RedisBrokerOptions, resolveOptions } from './options.ts'
import { Peers } from './peers.ts'
import { duplicatePrimary } from './primary.ts'
import { encodePublication, type Publication } from './publication.ts'
import { Reads } from './reads.ts'
import type { Replica } from './replica.ts'
import { Replicas } from './replicas.ts'
import { Store } from './store.ts'
import { Subscription } from './subscription.ts'
import { deadline } from './timeout.ts'
import { Topics } from './topics.ts'

/** The most messages, and characters, of one publish call: the script blocks everyone else on this Redis. */
const PUBLISH_LIMIT = { limit: 128, weight: 512 * 1024 }

/**
 * A broker that keeps the log in Redis, so that several servers are one hub: a client may lose its connection to one and
 * resume on another, exactly. Needs Redis 7 or Valkey, with `maxmemory-policy noeviction`.
 *
 * @throws TypeError for an invalid or unknown option
 *
 * @example
 * const client = await createClient().on('error', console.error).connect()
 * const hub = sse({ broker: redisBroker({ client }) })
 */
export function redisBroker(options: RedisBrokerOptions): Broker {
  const { client, prefix, publishTimeout: timeout, linger, beacon: interval } = resolveOptions(options)
  const id = crypto.randomUUID()
  /** The difference of Redis's clock to the monotonic one. */
  let skew = Date.now() - performance.now()
  let closed = false

  const store = new Store(prefix, {
    learned({ epoch, run }, at) {
      skew = at - performance.now()
      // A primary that was replaced may live on for a while, and publish as before.
      if (subscription.up) subscription.follow(run)
      replicas.learn(epoch)
    },
    abandoned(epoch) {
      // If it fails, it is tried again later; until then the leftovers only take up memory.
      commands.errand(SWEEP_TIME, (runner) => store.sweep(runner, epoch)).catch(() => {})
    },
  })
  const commands = new Commands(client, store.key)

  const publishes = new CallQueue<Publication, string>({
    ...PUBLISH_LIMIT,
    timeout,
    stores: true,
    weigh: ({ text }) => text.length,
    async call(publications, sequence, signal) {
      const { epoch, positions } = await store.publish(
        await commands.runner(signal),
        id,
        sequence,
        publications,
      )
      return positions.map((g) => (g === 0 ? '' : formatCursor(epoch, g)))
    },
  })
  const reads = new Reads({
    timeout,
    async read(questions, signal) {
      const topic = subscription.up ? id : undefined
      return store.read(await commands.runner(signal), questions, topic)
    },
  })

  const replicas = new Replicas({
    read: (questions) => reads.add(questions),
    hears: () => subscription.up,
    now: () => performance.now() + skew,
    timeout,
  })
  const topicOf = (channel: string): string => store.topic('channel', channel)
  const channelTopics = topicOf('')
  const peersTopic = store.topic('peers', '')
  const commonTopics = [store.topic('beacon', 'all'), store.topic('beacon', id), peersTopic]

  const subscription = new Subscription({
    create: () => duplicatePrimary(client, store.key),
    heard(text, topic) {
      // This does not count as heard for the beacon: it has no position of the log.
      if (topic === peersTopic) return peers.hear(text)
      if (topic.startsWith(channelTopics)) {
        const note = decodeNote(text)
        if (!subscription.follow(note.run)) return
        beacon.heard()
        store.observe(note)
        replicas.hear(topic.slice(channelTopics.length), note)
      } else {
        const [epoch = '', run = '', position] = text.split(' ')
        const g = Number(position)
        if (!subscription.follow(run)) return
        beacon.heard()
        store.observe({ epoch, run, g })
        replicas.hearBeacon(epoch, g)
      }
    },
    lost: () => replicas.lost(),
    regained: () => replicas.regained(),
  })
  const topics = new Topics(subscription)

  const beacon = new Beacon({
    interval,
    wanted: () => subscription.up,
    send: (everyone) => commands.errand(timeout, (runner) => store.read(runner, [], everyone ? 'all' : id)),
    silent: () => subscription.restart(),
  })

  const peers = new Peers({
    id,
    key: store.key,
    topic: peersTopic,
    interval,
    timeout,
    runner: (signal) => commands.runner(signal),
    async listen() {
      beacon.start()
      await topics.add(commonTopics, timeout)
    },
    size: (channel) => sumOf(sinksOf(channel), channel),
    disconnect(channel) {
      for (const sink of sinksOf(channel)) sink.disconnect(channel)
    },
  })
  const sinksOf = (channel: string): readonly BrokerSink[] => [...(replicas.get(channel)?.sinks ?? [])]

  function leave(copy: Replica): void {
    copy.linger ??= setTimeout(() => {
      replicas.delete(copy)
      topics.remove(topicOf(copy.channel))
    }, linger).unref()
  }

  return {
    async publish(channel, message, retention) {
      if (closed) throw closedError()
      checkName(channel)
      const eventId = await publishes.add(encodePublication(channel, message, retention))
      if (eventId !== '') return eventId
      const text = `The channel ${JSON.stringify(channel)} has ended: publish on another one.`
      throw new SseError('ERR_SSE_CHANNEL_ENDED', 409, text)
    },

    async attach(channels, sink) {
      if (closed) throw closedError()
      channels.forEach(checkName)
      for (const channel of channels) {
        const copy = replicas.add(channel)
        clearTimeout(copy.linger)
        copy.linger = undefined
        copy.sinks.add(sink)
      }
      // A connection may fall silent before it has acknowledged anything.
      beacon.start()
      await topics.add([...commonTopics, ...channels.map(topicOf)], timeout)
    },

    detach(channel: string, sink: BrokerSink) {
      const copy = replicas.get(channel)
      if (copy === undefined) return
      copy.sinks.delete(sink)
      if (copy.sinks.size === 0) leave(copy)
    },

    async read(channels, after, epoch) {
      if (closed) throw closedError()
      return replicas.read(channels, after, epoch)
    },

    elsewhere: {
      size(channel, except) {
        const others = sinksOf(channel).filter((sink) => sink !== except)
        return sumOf(others, channel) + (closed ? 0 : peers.size(channel))
      },
      async disconnect(channel, except) {
        if (closed) throw closedError()
        for (const sink of sinksOf(channel)) if (sink !== except) sink.disconnect(channel)
        await peers.disconnect(channel)
      },
    },

    async close() {
      closed = true
      commands.close()
      const late = defer()
      const cancel = deadline(timeout, late.resolve)
      await Promise.all([peers.close(), publishes.close(), reads.close()])
      beacon.stop()
      replicas.close()
      subscription.close()
      // Calls that have timed out may still be pending.
      await Promise.race([commands.settled(), late.promise])
      cancel()
    },
  }
}

const sumOf = (sinks: readonly BrokerSink[], channel: string): number =>
  sinks.reduce((sum, sink) => sum + sink.size(channel), 0)

/** Half a surrogate pair would make different names the same in UTF-8. */
function checkName(channel: string): void {
  if (!/\p{Surrogate}/u.test(channel)) return
  throw new SseError(
    'ERR_SSE_CHANNEL_NAME',
    400,
    "A channel's name must be well-formed text: it has half a character.",
  )
}
