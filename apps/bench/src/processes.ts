import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A process of the bench, asked one thing at a time. */
export interface Worker<Requests extends Record<keyof Requests, { ask: unknown; answer: unknown }>> {
  readonly pid: number
  ask<N extends keyof Requests & string>(name: N, ask: Requests[N]['ask']): Promise<Requests[N]['answer']>
  stop(): Promise<void>
}

/** `BENCH_PROFILE=dir` writes a CPU profile of every process there. */
const profiling = process.env.BENCH_PROFILE
  ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`]
  : []

/** Starts a module of the bench as a process of its own. */
export function startWorker<R extends Record<keyof R, { ask: unknown; answer: unknown }>>(
  module: string,
  args: readonly string[] = [],
): Worker<R> {
  const child: ChildProcess = fork(new URL(module, import.meta.url), args, {
    execArgv: ['--import', 'tsx', '--conditions=@sse/source', '--expose-gc', ...profiling],
  })
  return {
    pid: child.pid ?? 0,
    async ask(name, ask) {
      child.send({ name, ask })
      const [answer] = (await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => {
          throw new Error(`The process ${module} ${args.join(' ')} ended while it was asked to ${name}.`)
        }),
      ])) as [never]
      return answer
    },
    async stop() {
      if (child.exitCode !== null) return
      child.kill(profiling.length > 0 ? 'SIGINT' : 'SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** Answers what the bench asks this process. */
export function answer<R extends Record<keyof R, { ask: unknown; answer: unknown }>>(
  handlers: {
    [N in keyof R]: (ask: R[N]['ask']) => R[N]['answer'] | Promise<R[N]['answer']>
  },
): void {
  if (profiling.length > 0) process.once('SIGINT', () => process.exit())
  process.on('message', async ({ name, ask }: { name: keyof R; ask: never }) => {
    process.send?.(await handlers[name](ask))
  })
}
