export { createPublisher, type Publisher, type PublisherOptions } from './publisher.ts'
export { type RedisBrokerOptions, type RedisClient, redisBroker } from './redis-broker.ts'
export type { ScriptRunner } from './script.ts'
export type { Subscriber } from './subscription.ts'
