import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'

/** How long a process that ended stays down, in milliseconds: long enough to be seen. */
const DOWN = 3_000
/** How long a process may take to end by itself, in milliseconds. */
const PATIENCE = 3_000

export interface KeptProcessOptions<T> {
  /** What it is called when something is told of it. */
  readonly title: string
  spawn(): ChildProcess
  /** Resolves once it works, with what is to be known of it. */
  ready(child: ChildProcess): Promise<T>
  /** Hears of every change, in words. */
  changed(words: string): void
}

/** A process that starts again whenever it has ended, until it is stopped. */
export class KeptProcess<T> {
  readonly #options: KeptProcessOptions<T>
  readonly #stopped = new AbortController()
  #child: ChildProcess | undefined
  #exited: Promise<string> = Promise.resolve('')
  #value: T | undefined

  constructor(options: KeptProcessOptions<T>) {
    this.#options = options
  }

  /** What is to be known of it; nothing while it is down. */
  get value(): T | undefined {
    return this.#value
  }

  /**
   * Starts it, and resolves once it works, with its value.
   *
   * @throws Error if it does not come up
   */
  async start(): Promise<T> {
    const { title, spawn, ready } = this.#options
    const child = spawn()
    this.#child = child
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
    })
    this.#exited = exited
    const failed = exited.then((why) => Promise.reject(new Error(`${title} does not start (${why}).`)))
    const value = await Promise.race([ready(child), failed])
    this.#value = value
    exited.then((why) => this.#restart(why))
    return value
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#child?.kill('SIGTERM')
    const force = setTimeout(() => this.#child?.kill('SIGKILL'), PATIENCE)
    await this.#exited
    clearTimeout(force)
  }

  async #restart(why: string): Promise<void> {
    const { title, changed } = this.#options
    const { signal } = this.#stopped
    this.#value = undefined
    while (!signal.aborted && this.#value === undefined) {
      changed(`${title} has ended (${why}). It starts again in ${DOWN / 1000} s.`)
      try {
        await pause(DOWN, undefined, { signal })
        await this.start()
        changed(`${title} is back.`)
      } catch (error) {
        why = error instanceof Error ? error.message : String(error)
      }
    }
  }
}
