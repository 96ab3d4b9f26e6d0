import { AsyncResource } from 'node:async_hooks'

export interface BeaconOptions {
  /** Milliseconds. */
  readonly interval: number
  /** Whether there is anybody to hear. */
  wanted(): boolean
  /** Has the position told to every process, or to this one alone. */
  send(everyone: boolean): Promise<unknown>
  /** What was sent is not heard: the connection is dead, though nobody said so. */
  silent(): void
}

/** Intervals after which Redis is asked although it is heard: it may be another one by now that answers. */
const ROUNDS = 10

/** Beacons that may go unheard before a connection counts as dead. */
const MISSES = 2

/**
 * Where all is quiet, whoever notices first has the position of the log told, so that every process knows that it has
 * missed nothing, or that the log is another one.
 */
export class Beacon {
  readonly #options: BeaconOptions
  /** Nobody's in particular: not of the request that joined first. */
  readonly #context = new AsyncResource('SseBeacon')
  #timer: NodeJS.Timeout | undefined
  #heard = false
  #sending = false
  #unheard = 0
  /** Intervals since the last one was sent. */
  #rounds = 0

  constructor(options: BeaconOptions) {
    this.#options = options
  }

  start(): void {
    // Each at another pace, so that mostly one of many sends.
    const interval = this.#options.interval * (0.8 + 0.4 * Math.random())
    this.#timer ??= this.#context.runInAsyncScope(() => setInterval(() => this.#tick(), interval).unref())
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Something was heard on the connection. */
  heard(): void {
    this.#heard = true
    this.#unheard = 0
  }

  #tick(): void {
    const heard = this.#heard
    this.#heard = false
    this.#rounds += 1
    if ((heard && this.#rounds < ROUNDS) || this.#sending || !this.#options.wanted()) return
    if (this.#unheard >= MISSES) {
      this.#unheard = 0
      this.#options.silent()
      return
    }
    this.#rounds = 0
    this.#sending = true
    this.#options.send(!heard).then(
      () => {
        this.#sending = false
        if (!this.#heard) this.#unheard += 1
      },
      // Redis itself is away, which says nothing of this connection.
      () => {
        this.#sending = false
      },
    )
  }
}
