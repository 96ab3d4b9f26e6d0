import { type Broker, memoryBroker } from '@sse/express'
import { expect } from 'vitest'

/** A broker whose answers wait until they are let through: the slow store in which everything can happen meanwhile. */
export interface GatedBroker extends Broker {
  /** What waits, oldest first. */
  readonly waiting: readonly ('attach' | 'read')[]
  /** Lets the oldest one through, or fail. */
  pass(error?: Error): void
  /** From now on nothing waits. */
  open(): void
}

export function gatedBroker(): GatedBroker {
  const broker = memoryBroker()
  const gates: { readonly name: 'attach' | 'read'; readonly settle: (error?: Error) => void }[] = []
  let opened = false

  const gate = (name: 'attach' | 'read'): Promise<void> =>
    opened
      ? Promise.resolve()
      : new Promise((resolve, reject) => {
          gates.push({ name, settle: (error) => (error === undefined ? resolve() : reject(error)) })
        })

  return {
    ...broker,
    get waiting() {
      return gates.map(({ name }) => name)
    },
    pass(error) {
      const next = gates.shift()
      if (next === undefined) throw new Error('Nothing waits at the broker.')
      next.settle(error)
    },
    open() {
      opened = true
      for (const { settle } of gates.splice(0)) settle()
    },
    async attach(channels, sink) {
      await gate('attach')
      await broker.attach(channels, sink)
    },
    async read(channels, after) {
      await gate('read')
      return broker.read(channels, after)
    },
  }
}

/** Lets a join through that is about to come. */
export async function letJoin(broker: GatedBroker): Promise<void> {
  for (const step of ['attach', 'read']) {
    await expect.poll(() => broker.waiting).toEqual([step])
    broker.pass()
  }
}
