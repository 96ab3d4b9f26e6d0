import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'

/** What a process can be asked, by name, and what it answers. */
export type Requests<R> = Record<keyof R, { ask: unknown; answer: unknown }>

/** A process of the bench, asked one thing at a time. */
export interface Worker<R extends Requests<R>> {
  /** @throws Error if the process fails, ends, or does not answer in time */
  ask<N extends keyof R & string>(name: N, ask: R[N]['ask']): Promise<R[N]['answer']>
  stop(): Promise<void>
}

type Reply = { readonly answer: unknown } | { readonly failure: string }

/** How long an answer may take, in milliseconds. */
const PATIENCE = 60_000

/** `BENCH_PROFILE=dir` writes a CPU profile of every process there. */
const profiling = process.env.BENCH_PROFILE
  ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`]
  : []

/** Starts a module of the bench as a process of its own. */
export function startWorker<R extends Requests<R>>(module: URL): Worker<R> {
  const child: ChildProcess = fork(module, {
    // The built packages are measured: of their sources, tsx would wrap every closure.
    execArgv: ['--import', 'tsx', '--expose-gc', ...profiling],
    // What a peer prints does not belong in the bench's output.
    stdio: ['ignore', 'ignore', process.env.BENCH_STDERR ? 'inherit' : 'ignore', 'ipc'],
  })
  let settle: ((reply: Reply) => void) | undefined
  child.on('message', (reply: Reply) => settle?.(reply))
  child.on('exit', (code, signal) => settle?.({ failure: `its process ended (${signal ?? code})` }))
  return {
    async ask(name, ask) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('its process has ended')
      const replied = new Promise<Reply>((resolve) => {
        settle = resolve
      })
      child.send({ name, ask })
      const timer = setTimeout(() => settle?.({ failure: `no answer to ${name}` }), PATIENCE)
      const reply = await replied
      clearTimeout(timer)
      if ('failure' in reply) throw new Error(reply.failure)
      return reply.answer as R[typeof name]['answer']
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const late = new AbortController()
      wait(5_000, undefined, { signal: late.signal }).then(
        () => child.kill('SIGKILL'),
        () => {},
      )
      await exited
      late.abort()
    },
  }
}

/** Answers what the bench asks this process. */
export function answer<R extends Requests<R>>(
  handlers: {
    [N in keyof R]: (ask: R[N]['ask']) => R[N]['answer'] | Promise<R[N]['answer']>
  },
): void {
  const exit = (): void => process.exit()
  process.once('SIGTERM', exit)
  process.once('disconnect', exit)
  process.on('message', async ({ name, ask }: { name: keyof R; ask: never }) => {
    const reply: Reply = await Promise.resolve(ask)
      .then(handlers[name])
      .then(
        (answer) => ({ answer }),
        (error: unknown) => ({ failure: error instanceof Error ? error.message : String(error) }),
      )
    process.send?.(reply)
  })
}
