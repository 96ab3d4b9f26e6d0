import { spawnSync } from 'node:child_process'

/** Whether tests that need a Redis are left out. With `CI=true` they are not: there they fail. */
export const redisIsMissing: boolean =
  process.env.CI !== 'true' && spawnSync('redis-server', ['--version']).error !== undefined

if (redisIsMissing) process.stderr.write('Skipped: there is no redis-server (apt install redis-server).\n')
