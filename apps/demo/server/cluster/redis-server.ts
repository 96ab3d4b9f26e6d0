import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { KeptProcess } from './kept-process.ts'

/** A Redis of the demo's own, which keeps nothing on disk. Its value is its url. */
export async function keepRedis(changed: (words: string) => void): Promise<KeptProcess<string>> {
  const binary = findBinary()
  const port = String(await freePort())
  return new KeptProcess({
    title: 'Redis',
    changed,
    spawn: () =>
      spawn(binary, ['--bind', '127.0.0.1', '--port', port, '--save', '', '--appendonly', 'no'], {
        // In a group of its own, so that Ctrl+C does not end it before those who use it.
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    async ready(child) {
      await said(child, 'Ready to accept connections')
      return `redis://127.0.0.1:${port}`
    },
  })
}

/** @throws Error with the remedy, if there is none */
function findBinary(): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const binary = ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(isExecutable)
  if (binary !== undefined) return binary
  throw new Error(
    'There is no redis-server on this machine. Install it (apt install redis-server, brew install redis), or start one server without it: pnpm dev',
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Resolves once a process has written a text; what it writes later is dropped. */
function said(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve) => {
    let output = ''
    child.stdout?.on('data', function hear(chunk) {
      output += chunk
      if (!output.includes(text)) return
      child.stdout?.off('data', hear).resume()
      resolve()
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.')
  return address.port
}
