import type { ControlEvents, ControlName } from '@sse/protocol'
import {
  ConnectionError,
  type Transport,
  type TransportHandlers,
  type TransportRequest,
} from '../src/index.ts'
import { createMockLifecycle, type MockLifecycle } from '../src/testing/mock-lifecycle.ts'
import { createVirtualClock, type VirtualClock } from '../src/testing/virtual-clock.ts'

/** An attempt, and the server's side of it. */
interface ScriptedAttempt {
  readonly request: TransportRequest
  readonly handlers: TransportHandlers
  aborted: boolean
  /** An event of the library's own, in a chunk of its own. */
  control<N extends ControlName>(event: N, data: ControlEvents[N], id?: string): void
  /** An event of the app, in a chunk of its own. */
  say(event: string, data: unknown, id?: string): void
  end(): void
}

export interface ScriptedTransport extends Transport {
  readonly clock: VirtualClock
  readonly lifecycle: MockLifecycle
  readonly attempts: readonly ScriptedAttempt[]
  /** The newest attempt. */
  readonly last: ScriptedAttempt
}

/** A transport that says exactly what the test has it say, in virtual time. */
export function createScriptedTransport(): ScriptedTransport {
  const attempts: ScriptedAttempt[] = []
  return {
    clock: createVirtualClock(1_000_000, () => 0.5),
    lifecycle: createMockLifecycle(),
    attempts,
    get last() {
      const attempt = attempts.at(-1)
      if (attempt === undefined) throw new Error('There was no attempt.')
      return attempt
    },
    connect(request, handlers) {
      const say = (event: string, data: unknown, id = request.cursor): void => {
        handlers.event({ event, data: JSON.stringify(data), id })
        handlers.flush(id)
      }
      const attempt: ScriptedAttempt = {
        request,
        handlers,
        aborted: false,
        say,
        control: say,
        end: () => handlers.end(new ConnectionError('network', 'The connection was dropped.')),
      }
      attempts.push(attempt)
      return () => {
        attempt.aborted = true
      }
    },
  }
}
