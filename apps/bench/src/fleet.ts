import { type Rig, startRig } from './rig.ts'
import { Failure } from './rounds.ts'

/** Rigs of several peers: all but the one that is measured are idle. */
export interface Fleet {
  /** @throws Error if that peer could not be started */
  rig(peer: string): Rig
}

/** How many rigs are started at a time: as many as the smallest machine has cores. */
const STARTING = 2

/** Starts a rig for each peer, and stops them all in the end. */
export async function withFleet<T>(
  peers: Iterable<string>,
  prepare: (rig: Rig, peer: string) => Promise<void>,
  use: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const rigs = new Map<string, Rig>()
  const failures = new Map<string, Failure>()
  const waiting = [...peers].values()
  const starter = async (): Promise<void> => {
    for (const peer of waiting) {
      try {
        const rig = await startRig(peer)
        rigs.set(peer, rig)
        await prepare(rig, peer)
      } catch (error) {
        failures.set(peer, new Failure(error))
      }
    }
  }
  try {
    await Promise.all(Array.from({ length: STARTING }, starter))
    return await use({
      rig(peer) {
        const rig = rigs.get(peer)
        const failure = failures.get(peer)
        if (failure !== undefined || rig === undefined)
          throw new Error(failure?.reason ?? 'it was not started')
        return rig
      },
    })
  } finally {
    await Promise.all([...rigs.values()].map((rig) => rig.stop()))
  }
}

/** Starts a rig for one measurement alone. */
export async function withRig<T>(peer: string, use: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await startRig(peer)
  try {
    return await use(rig)
  } finally {
    await rig.stop()
  }
}
