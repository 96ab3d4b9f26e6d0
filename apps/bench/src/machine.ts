import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** The packages that are compared. */
const PACKAGES = [
  'express',
  'better-sse',
  'express-sse',
  '@fastify/sse',
  'fastify',
  'hono',
  '@hono/node-server',
  'ws',
  'redis',
  'socket.io',
  '@socket.io/redis-streams-adapter',
  'eventsource-parser',
  'react',
]

/** On what, and with what, the figures were taken. */
export function machine(before: readonly number[]): string {
  const [cpu] = cpus()
  const list = (load: readonly number[]): string => load.map((value) => value.toFixed(1)).join(', ')
  const lines = [
    `- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; commit ${commit()}`,
    `- ${cpus().length} cores of ${cpu?.model.trim() ?? 'an unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `- load average (1, 5, 15 minutes) before: ${list(before)}; after: ${list(loadavg())}`,
    `- Node ${process.versions.node}, V8 ${process.versions.v8}${redis()}${nginx()}`,
    `- ${PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
  ]
  return lines.join('\n')
}

function versionOf(name: string): string {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  const { version }: { version?: unknown } = JSON.parse(readFileSync(manifest, 'utf8'))
  return String(version)
}

function commit(): string {
  return (
    tried(() => execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()) ?? '—'
  )
}

function redis(): string {
  const version = tried(() => execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))
  return `; ${/v=(\S+)/.exec(version ?? '')?.[1]?.replace(/^/, 'Redis ') ?? 'Redis is not installed'}`
}

function nginx(): string {
  const versions = tried(() =>
    execFileSync(
      'dpkg-query',
      ['-W', '-f', '; $' + '{Package} $' + '{Version}', 'nginx', 'libnginx-mod-nchan'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    ),
  )
  return versions ?? '; nchan is not installed'
}

function tried<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
