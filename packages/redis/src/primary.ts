import type { ScriptRunner } from './script.ts'
import type { Subscriber } from './subscription.ts'

interface CommandClient {
  withCommandOptions(options: { abortSignal: AbortSignal }): ScriptRunner
}

/** What of a client of one server the broker needs; what `createClient()` of node-redis makes has it. */
export interface ServerClient extends CommandClient {
  /** A client of the same server, for the one connection that subscribes. */
  duplicate(): Subscriber
}

/** What of a client of several servers watched by Sentinels; what `createSentinel()` makes has it. */
export interface SentinelClient extends CommandClient {
  getMasterNode(): unknown
  _execute<T>(isReadonly: boolean, act: (primary: Pick<ServerClient, 'duplicate'>) => Promise<T>): Promise<T>
}

/** What of a client of a cluster; what `createCluster()` makes has it. */
export interface ClusterClient extends CommandClient {
  getNodeClientForKey(key: string): Promise<Pick<ServerClient, 'duplicate'>>
}

/** What of a client the broker needs, whichever of node-redis's three it is. */
export type RedisClient = ServerClient | SentinelClient | ClusterClient

/** Whether the client can open one more connection: a pool has no such method. */
export const isOfServers = (client: object): boolean =>
  ['duplicate', 'getMasterNode', 'getNodeClientForKey'].some((name) => name in client)

/** Makes a client, not yet connected, of the server that runs scripts with this key now. */
export async function duplicatePrimary(client: RedisClient, key: string): Promise<Subscriber> {
  if ('getNodeClientForKey' in client) return (await client.getNodeClientForKey(key)).duplicate()
  // Sentinel's own `subscribe` does not report interruptions.
  if ('getMasterNode' in client) return client._execute(false, async (primary) => primary.duplicate())
  return client.duplicate()
}
