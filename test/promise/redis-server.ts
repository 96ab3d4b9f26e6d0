// That of the tests of @sse/redis, by its path: it is not for users, so it has no public name.
export { type Client, missing, RedisServer } from '../../packages/redis/test/redis-server.ts'
