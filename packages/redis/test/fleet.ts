import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type TestStream } from '@sse/express/testing'

/** A server in a process of its own, which may be killed and held. */
export class ServerProcess {
  /** Another one after each start. */
  origin = ''
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  private constructor(redisPort: number) {
    const script = join(import.meta.dirname, 'server-process.ts')
    this.#args = ['--conditions=@sse/source', '--import', 'tsx', script, String(redisPort)]
  }

  static async start(redisPort: number): Promise<ServerProcess> {
    const server = new ServerProcess(redisPort)
    await server.#start()
    return server
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.#start()
  }

  async hold(milliseconds: number): Promise<void> {
    this.#child?.kill('SIGSTOP')
    await pause(milliseconds)
    this.#child?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  async #start(): Promise<void> {
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    this.origin = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (said) => resolve(String(said).trim()))
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
    })
  }
}

/** A reader as a client is one: it comes back to any server, with its cursor, whenever its stream ends. */
export class Reader {
  readonly channels: readonly string[]
  readonly #origin: () => string
  readonly #former: TestStream[] = []
  readonly #running: Promise<void>
  #stream: TestStream | undefined
  #stopped = false

  constructor(channels: readonly string[], origin: () => string) {
    this.channels = channels
    this.#origin = origin
    this.#running = this.#run()
  }

  get started(): boolean {
    return (this.#stream?.lastEventId ?? '') !== ''
  }

  /** The ids of the news that it has had. */
  get ids(): string[] {
    return this.#events('news').map(({ id }) => id)
  }

  /** The news and the gaps that it has had, in their order. */
  get story(): ReturnType<TestStream['all']> {
    return this.#events('news', 'sse.gap')
  }

  cut(): void {
    this.#stream?.drop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#stream?.drop()
    await this.#running
  }

  #events(...names: readonly string[]): ReturnType<TestStream['all']> {
    const streams = this.#stream === undefined ? this.#former : [...this.#former, this.#stream]
    return streams.flatMap((stream) => stream.all().filter(({ event }) => names.includes(event)))
  }

  async #run(): Promise<void> {
    let lastEventId = ''
    const path = `/?${new URLSearchParams(this.channels.map((channel) => ['channel', channel] as [string, string]))}`
    while (!this.#stopped) {
      const stream = await connect(this.#origin(), path, { lastEventId }).catch(() => undefined)
      if (stream?.status === 200) {
        this.#stream = stream
        await stream.ended
        lastEventId = stream.lastEventId
        this.#former.push(stream)
        this.#stream = undefined
      } else {
        await stream?.drop()
        await pause(50)
      }
    }
  }
}

/** Mulberry32: the same faults for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
