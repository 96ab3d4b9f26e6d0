import { ConnectionError, createEventSource, type Transport } from '@sse/client'
import { LATENCY } from './costs.ts'
import type { SimulatedServer, Visit } from './server.ts'
import type { Timeline } from './timeline.ts'

export interface ClientOptions {
  readonly timeline: Timeline
  readonly channels: readonly string[]
  /** The randomness of its backoff; without jitter it always returns 1, so each backoff has its full length. */
  readonly random: () => number
  /** The server to which the balancer sends an attempt; `undefined` if none takes it. */
  route(): SimulatedServer | undefined
  /** The server to which it is connected at the beginning. */
  readonly home: SimulatedServer
  readonly heard: ClientEvents
}

export interface ClientEvents {
  connects(): void
  refused(): void
  timedOut(): void
  /** @param away - milliseconds since it lost its stream */
  back(away: number): void
  lost(): void
}

const CURSOR = 'simulated-1'

/** `connectTimeout` of @sse/client: no attempt takes longer. */
const PATIENCE = 30_000

/** Starts a real @sse/client, with its backoff, timers and states; only its transport is simulated. */
export function startClient({ channels, heard, home, random, route, timeline }: ClientOptions): void {
  let settled = false
  let lostAt: number | undefined

  const transport: Transport = {
    clock: {
      now: () => timeline.now,
      after: (milliseconds, callback) => timeline.after(milliseconds, callback),
      random,
    },
    lifecycle: { online: () => true, visible: () => true, listen: () => () => {} },
    connect(_request, handlers) {
      const begun = timeline.now
      let server: SimulatedServer | undefined
      let answered = false
      let over = false
      const end = (error: ConnectionError): void => {
        if (over) return
        over = true
        handlers.end(error)
      }
      const visit: Visit = {
        channels,
        get over() {
          return over
        },
        open(retry) {
          answered = true
          if (lostAt !== undefined) heard.back(timeline.now - lostAt)
          lostAt = undefined
          const data = JSON.stringify({ heartbeat: 0, resumed: true, replay: 0 })
          handlers.retry(retry)
          handlers.open()
          handlers.event({ event: 'sse.open', data, id: CURSOR })
          handlers.flush(CURSOR)
        },
        refuse() {
          heard.refused()
          end(new ConnectionError('http', 'Refused.', { status: 503 }))
        },
        end(retry) {
          if (answered) {
            lostAt = timeline.now
            heard.lost()
          } else heard.refused()
          if (retry !== undefined) handlers.retry(retry)
          end(new ConnectionError('network', 'The connection was lost.'))
        },
      }
      if (settled) {
        heard.connects()
        timeline.after(LATENCY.client, () => {
          if (over) return
          server = route()
          if (server === undefined) visit.refuse()
          else server.receive(visit)
        })
      } else {
        settled = true
        server = home
        home.seat(visit)
      }
      return () => {
        if (!over && !answered && timeline.now - begun >= PATIENCE) heard.timedOut()
        over = true
        server?.leave(visit)
      }
    },
  }
  createEventSource('http://simulated/events', { transport, cursor: CURSOR }).open()
}
