import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('..', import.meta.url))

export interface DemoServer {
  readonly url: string
  readonly process: ChildProcess
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Runs a file of the demo as its scripts do. */
export function run(file: string, port: number, env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', '--conditions=@sse/source', file], {
    cwd: directory,
    env: { ...process.env, NODE_ENV: 'development', HOST: 'localhost', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Starts the demo on a free port, and returns once it has printed its url. */
export async function startDemo(file = 'server/main.ts'): Promise<DemoServer> {
  const child = run(file, 0)
  const exited = once(child, 'exit')
  let output = ''
  child.stderr?.on('data', (chunk) => {
    output += chunk
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      output += chunk
      const printed = /http:\/\/\S+/.exec(output)
      if (printed !== null) resolve(printed[0])
    })
    exited.then(() => reject(new Error(`The demo has ended: ${output}`)), reject)
  })
  return {
    url,
    process: child,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      await exited
      return child.exitCode
    },
  }
}
