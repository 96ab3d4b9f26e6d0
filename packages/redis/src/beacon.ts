import { AsyncResource } from 'node:async_hooks'

export interface BeaconOptions {
  /** Milliseconds. */
  readonly interval: number
  /** Whether the subscription is up. */
  wanted(): boolean
  /** Has Redis publish the position of the log to every process, or to this one only. */
  send(everyone: boolean): Promise<unknown>
  /** Beacons were sent but not heard: the connection is dead without an error. */
  silent(): void
}

/** Intervals after which a beacon is sent even if the connection is heard: calls may reach another server by now. */
const ROUNDS = 10

/** Beacons that may go unheard before a connection counts as dead. */
const MISSES = 2

/**
 * When all is quiet, the process that notices first has Redis publish the position of the log, so that every process knows
 * that it has missed nothing, or that the log was replaced.
 */
export class Beacon {
  readonly #options: BeaconOptions
  /** The timer must not run in the async context of the request that joined first. */
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
    // Jittered, so that mostly one of many processes sends.
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
      // Redis itself is unreachable, which says nothing about this connection.
      () => {
        this.#sending = false
      },
    )
  }
}
