import { assertRemovable, type Contract, type EventInput, type EventName, encodePayload } from '@sse/contract'
import type { ControlEvents, ControlName, GapReason } from '@sse/protocol'
import type { Clock } from '../clock.ts'
import { ConnectionError } from '../errors.ts'
import type { TransportHandlers, TransportRequest } from '../transport.ts'

const HEARTBEAT = 15_000

/** The answer to a refused attempt. */
export interface Refusal {
  readonly body?: string | undefined
  /** In milliseconds. */
  readonly retryAfter?: number | undefined
}

/** One url of a mock transport: a server with one log, controlled by the test. */
// biome-ignore lint/suspicious/noExplicitAny: without its events it is that of any; nothing could be given for another default
export interface MockEndpoint<E = any> {
  /** The requests that it received, oldest first. */
  readonly requests: readonly TransportRequest[]
  /** How many streams are open. */
  readonly streams: number
  /**
   * Publishes an event: connected readers get it now, readers that return with a cursor are caught up, new ones get states.
   */
  emit<N extends EventName<E>>(event: N, payload: EventInput<E, N>): void
  /** Removes a state, or for keyed state that of one key. */
  remove(event: EventName<E>, key?: string): void
  /** Drops its log except the states: open streams, and those that resume, are told that events are missing. */
  gap(reason?: GapReason, channels?: readonly string[]): void
  /** Breaks the streams. */
  drop(): void
  /** Closes the streams for good. */
  close(reason: string): void
  /** Refuses the next attempt with this status. */
  refuse(status: number, refusal?: Refusal): void
  /** Leaves the next attempt without an answer. */
  hang(): void
  /** Sends nothing more, not even heartbeats, on the streams that are open. */
  silence(): void
}

interface Open {
  readonly handlers: TransportHandlers
  silent: boolean
}

interface Entry {
  readonly position: number
  readonly event: string
  readonly data: string
  /** The state that it holds: the next entry of the same subject replaces it. */
  readonly subject: string | undefined
}

export interface MockServer<E> extends MockEndpoint<E> {
  connect(request: TransportRequest, handlers: TransportHandlers): () => void
}

export function createMockServer<E>(contract: Contract | undefined, clock: Clock): MockServer<E> {
  const requests: TransportRequest[] = []
  const plans: (Refusal & { readonly status: number | undefined })[] = []
  const streams = new Set<Open>()
  let log: readonly Entry[] = []
  let last = 0
  /** The newest position that was dropped. */
  let evicted = 0
  /** The action under way, and after it those that listeners asked for meanwhile. */
  const turns: (() => void)[] = []

  const head = (): string => `m-${last}`
  const control = <N extends ControlName>(stream: Open, event: N, data: ControlEvents[N], id: string): void =>
    stream.handlers.event({ event, data: JSON.stringify(data), id })

  function inTurn(turn: () => void): void {
    if (turns.push(turn) > 1) return
    for (const turn of turns) turn()
    turns.length = 0
  }
  function toAll(event: string, data: string): void {
    const id = head()
    for (const stream of [...streams]) {
      if (stream.silent || !streams.has(stream)) continue
      stream.handlers.event({ event, data, id })
      stream.handlers.flush(id)
    }
  }
  /** @param former - the subject whose former entry it replaces; also its own subject if it is a state */
  function publish(event: string, data: string, former: string | undefined, isState = true): void {
    inTurn(() => {
      last += 1
      if (former !== undefined) log = log.filter(({ subject }) => subject !== former)
      log = [...log, { position: last, event, data, subject: isState ? former : undefined }]
      toAll(event, data)
    })
  }

  function greet(stream: Open, cursor: string): void {
    const from = /^m-\d+$/.test(cursor) ? Number(cursor.slice(2)) : undefined
    const resumed = from !== undefined && from <= last
    const replay = log.filter(({ position, subject }) =>
      resumed ? position > from : cursor !== '' || subject !== undefined,
    )
    control(stream, 'sse.open', { heartbeat: HEARTBEAT, resumed, replay: replay.length }, cursor)
    if (cursor !== '' && (!resumed || from < evicted)) {
      control(stream, 'sse.gap', { channels: ['mock'], reason: resumed ? 'evicted' : 'unknown' }, cursor)
    }
    for (const { data, event, position } of replay)
      stream.handlers.event({ event, data, id: `m-${position}` })
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
      const { data, key } = encodePayload(contract, event, payload)
      // Line ends as they arrive over the wire; only a text event has any.
      publish(event, data.replace(/\r\n?/g, '\n'), key === undefined ? undefined : subjectOf(event, key))
    },
    remove(event, key = '') {
      assertRemovable(contract, event, key)
      publish('sse.remove', JSON.stringify({ event, key }), subjectOf(event, key), false)
    },
    gap(reason = 'evicted', channels = ['mock']) {
      inTurn(() => {
        log = log.filter(({ subject }) => subject !== undefined)
        // Newer than any reader's cursor, so that readers that come back are told as well.
        last += 1
        evicted = last
        toAll('sse.gap', JSON.stringify({ channels, reason }))
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

/** No event name contains NUL, so different states have different subjects. */
const subjectOf = (event: string, key: string): string => `${event}\0${key}`
