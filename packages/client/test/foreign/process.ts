import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** A server that is not ours, in a process of its own. */
export interface ForeignServer extends AsyncDisposable {
  readonly origin: string
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
}

/** Starts a server on a free port and waits until it accepts connections; it is ended with the test. */
export async function startServer(command: (port: number) => Command): Promise<ForeignServer> {
  const port = await freePort()
  const { program, args } = command(port)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  child.on('error', (error) => {
    said += error
  })
  const deadline = Date.now() + 20_000
  while (!(await accepts(port))) {
    if (hasEnded(child) || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`${program} did not start: ${said}`)
    }
    await wait(20)
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if (hasEnded(child)) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
