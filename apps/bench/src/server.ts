import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { type Peer, payloadOf, type StartPeer } from './peer.ts'
import { answer } from './processes.ts'

/** What the server process of a peer does. */
export interface ServerRequests {
  start: { ask: undefined; answer: { port: number } }
  /** Publishes so many turns of so many events, with a pause of milliseconds after each turn; 0: back to back. */
  publish: { ask: { turns: number; perTurn: number; bytes: number; pause: number }; answer: null }
  usage: { ask: undefined; answer: Usage }
}

/** What a process has used so far. */
export interface Usage {
  readonly cpuMicroseconds: number
  readonly rss: number
  readonly heap: number
}

const [name] = process.argv.slice(2)
const { start } = (await import(`./peers/${name}.ts`)) as { start: StartPeer }
let peer: Peer | undefined

answer<ServerRequests>({
  async start() {
    peer = await start()
    return { port: peer.port }
  },
  async publish({ turns, perTurn, bytes, pause }) {
    const payload = payloadOf(bytes)
    for (let turn = 0; turn < turns; turn++) {
      for (let event = 0; event < perTurn; event++) peer?.publish(payload)
      await (pause > 0 ? wait(pause) : nextTurn())
    }
    return null
  },
  async usage() {
    const { system, user } = process.cpuUsage()
    globalThis.gc?.()
    const { heapUsed, rss } = process.memoryUsage()
    return { cpuMicroseconds: user + system, rss, heap: heapUsed }
  },
})
