import { isOfServers, type RedisClient } from './primary.ts'

/** The options of {@link redisBroker}. */
export interface RedisBrokerOptions {
  /**
   * The application's own client, connected, from `createClient`, `createSentinel` or `createCluster`. The broker never
   * closes it, and opens one more connection with its settings, to the server that holds the hub.
   */
  readonly client: RedisClient
  /** Tells hubs on one Redis apart, even those in different databases. @defaultValue `'sse'` */
  readonly prefix?: string | undefined
  /** How long a publish, a join or a read may take before it rejects, in milliseconds. @defaultValue 5,000 */
  readonly publishTimeout?: number | undefined
  /** How long a channel that the last reader has left is still followed, in milliseconds. @defaultValue 30,000 */
  readonly linger?: number | undefined
  /**
   * After how long a silence a process asks whether it has missed anything, and how often processes exchange their numbers
   * of readers, where somebody asks for `channel.size`; in milliseconds. @defaultValue 1,000
   */
  readonly beacon?: number | undefined
}

/** Options with every default in place. */
export type ResolvedOptions = {
  readonly [N in keyof RedisBrokerOptions]-?: Exclude<RedisBrokerOptions[N], undefined>
}

/** As keys, so that the compiler reports a missing one. */
const OPTIONS: Readonly<Record<keyof RedisBrokerOptions, true>> = {
  client: true,
  prefix: true,
  publishTimeout: true,
  linger: true,
  beacon: true,
}

/** The longest delay of a timer, less the jitter of the beacon, in milliseconds. */
const MAX_DELAY = 1_700_000_000

/** @throws TypeError for an invalid or unknown option */
export function resolveOptions(options: RedisBrokerOptions): ResolvedOptions {
  const { client, prefix = 'sse' } = options
  checkNames(options)
  if (typeof client?.withCommandOptions !== 'function' || !isOfServers(client))
    throw new TypeError(
      "client must come from node-redis's createClient(), createSentinel() or createCluster(); a pool cannot subscribe.",
    )
  const publishTimeout = milliseconds('publishTimeout', options.publishTimeout ?? 5_000)
  const linger = milliseconds('linger', options.linger ?? 30_000)
  const beacon = milliseconds('beacon', options.beacon ?? 1_000)
  if (!/^[^{}]+$/.test(prefix))
    throw new TypeError(`prefix must be a non-empty string without braces, got '${prefix}'.`)
  return { client, prefix, publishTimeout, linger, beacon }
}

/** Throws for an unknown name, mostly a typo. */
function checkNames(options: object): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue
    throw new TypeError(`There is no option ${name}: there are ${Object.keys(OPTIONS).join(', ')}.`)
  }
}

function milliseconds(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 10 && value <= MAX_DELAY) return value
  throw new TypeError(
    `${name} must be a number of milliseconds from 10 to ${MAX_DELAY}, got ${String(value)}.`,
  )
}
