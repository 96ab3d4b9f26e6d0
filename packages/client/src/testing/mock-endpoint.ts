import { type AnyEvents, type Contract, type EventInput, type EventName, encodePayload } from '@sse/contract'
import type { ControlEvents, ControlName, GapReason } from '@sse/protocol'
import type { Clock } from '../clock.ts'
import { ConnectionError } from '../errors.ts'
import type { TransportHandlers, TransportRequest } from '../transport.ts'

const HEARTBEAT = 15_000

/** How an attempt is refused. */
export interface Refusal {
  readonly body?: string | undefined
  /** In milliseconds. */
  readonly retryAfter?: number | undefined
}

/** One url of a mock transport: a server with one log, told what to do by the test. */
export interface MockEndpoint<E = AnyEvents> {
  /** What was asked of it, oldest first. */
  readonly requests: readonly TransportRequest[]
  /** How many streams are open. */
  readonly streams: number
  /** Publishes an event: who is connected gets it now, who comes back with a cursor is caught up. */
  emit<N extends EventName<E>>(event: N, payload: EventInput<E, N>): void
  /** Voids the state of this key; `''` for state without keys. */
  remove(event: EventName<E>, key: string): void
  /** Forgets its log: streams, and those that resume, are told that events are missing. */
  gap(reason?: GapReason, channels?: readonly string[]): void
  /** Breaks the streams. */
  drop(): void
  /** Closes the streams for good. */
  close(reason: string): void
  /** Refuses the next attempt with this status. */
  refuse(status: number, refusal?: Refusal): void
  /** Leaves the next attempt without an answer. */
  hang(): void
  /** Says nothing more, not even heartbeats, on the streams that are open. */
  silence(): void
}

interface Open {
  readonly handlers: TransportHandlers
  silent: boolean
}

interface Entry {
  readonly event: string
  readonly data: string
}

export interface MockServer<E> extends MockEndpoint<E> {
  connect(request: TransportRequest, handlers: TransportHandlers): () => void
}

export function createMockServer<E>(contract: Contract | undefined, clock: Clock): MockServer<E> {
  const requests: TransportRequest[] = []
  const plans: (Refusal & { readonly status: number | undefined })[] = []
  const streams = new Set<Open>()
  let log: Entry[] = []
  /** How many entries were forgotten: the cursor of an entry is their number and its index. */
  let forgotten = 0
  /** What is being said, and what a listener asked for meanwhile, which comes after it. */
  const turns: (() => void)[] = []

  const head = (): string => `m-${forgotten + log.length}`
  const said = (stream: Open, entry: Entry, id: string): void => stream.handlers.event({ ...entry, id })
  const control = <N extends ControlName>(stream: Open, event: N, data: ControlEvents[N], id: string): void =>
    said(stream, { event, data: JSON.stringify(data) }, id)

  function inTurn(turn: () => void): void {
    if (turns.push(turn) > 1) return
    for (const turn of turns) turn()
    turns.length = 0
  }
  function toAll(entry: Entry, id: string): void {
    for (const stream of [...streams]) {
      if (stream.silent || !streams.has(stream)) continue
      said(stream, entry, id)
      stream.handlers.flush(id)
    }
  }
  function publish(event: string, data: string): void {
    const entry = { event, data }
    inTurn(() => {
      log.push(entry)
      toAll(entry, head())
    })
  }

  function greet(stream: Open, cursor: string): void {
    const from = /^m-\d+$/.test(cursor) ? Number(cursor.slice(2)) : undefined
    const resumed = from !== undefined && from <= forgotten + log.length
    const replay = resumed ? log.slice(Math.max(0, from - forgotten)) : []
    control(stream, 'sse.open', { heartbeat: HEARTBEAT, resumed, replay: replay.length }, cursor)
    if (cursor !== '' && (!resumed || from < forgotten)) {
      control(stream, 'sse.gap', { channels: ['mock'], reason: resumed ? 'evicted' : 'unknown' }, cursor)
    }
    replay.forEach((entry, index) => {
      said(stream, entry, `m-${forgotten + log.length - replay.length + index + 1}`)
    })
    control(stream, 'sse.live', {}, head())
    stream.handlers.flush(head())
  }

  return {
    requests,
    get streams() {
      return streams.size
    },
    connect(request, handlers) {
      requests.push(request)
      const plan = plans.shift()
      const stream: Open = { handlers, silent: false }
      let cancelBeat: () => void = () => {}
      function beat(): void {
        if (!stream.silent) {
          control(stream, 'sse.live', {}, head())
          handlers.flush(head())
        }
        cancelBeat = clock.after(HEARTBEAT, beat)
      }
      const cancelAnswer = clock.after(0, () => {
        if (plan === undefined) {
          streams.add(stream)
          inTurn(() => {
            handlers.open()
            if (streams.has(stream)) greet(stream, request.cursor)
          })
          if (streams.has(stream)) cancelBeat = clock.after(HEARTBEAT, beat)
        } else if (plan.status !== undefined) {
          handlers.end(new ConnectionError('http', `The server answered ${plan.status}.`, plan))
        }
      })
      return () => {
        cancelAnswer()
        cancelBeat()
        streams.delete(stream)
      }
    },
    emit(event, payload) {
      publish(event, encodePayload(contract, event, payload).data)
    },
    remove(event, key) {
      publish('sse.remove', JSON.stringify({ event, key }))
    },
    gap(reason = 'evicted', channels = ['mock']) {
      inTurn(() => {
        forgotten += log.length
        log = []
        // Nobody's cursor is as new as this, so who comes back is told as well.
        forgotten += 1
        toAll({ event: 'sse.gap', data: JSON.stringify({ channels, reason }) }, head())
      })
    },
    drop() {
      for (const { handlers } of [...streams]) {
        handlers.end(new ConnectionError('network', 'The connection was dropped.'))
      }
    },
    close(reason) {
      inTurn(() => {
        for (const stream of [...streams]) control(stream, 'sse.close', { reason }, head())
      })
    },
    refuse(status, refusal = {}) {
      plans.push({ ...refusal, status })
    },
    hang() {
      plans.push({ status: undefined })
    },
    silence() {
      for (const stream of streams) stream.silent = true
    },
  }
}
