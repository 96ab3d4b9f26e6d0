import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionError, createEventSource, type Transport, type TransportHandlers } from '../src/index.ts'
import { createMockLifecycle } from '../src/testing/mock-lifecycle.ts'
import { createVirtualClock } from '../src/testing/virtual-clock.ts'

/** An attempt as the network sees it. The handlers stay callable after it was aborted: late callbacks do happen. */
interface Attempt {
  readonly number: number
  readonly handlers: TransportHandlers
  live: boolean
}

const control = (event: string, data: unknown) => ({ event, data: JSON.stringify(data), id: '' })

function createWorld(random: () => number) {
  const clock = createVirtualClock(0, random)
  const lifecycle = createMockLifecycle()
  const attempts: Attempt[] = []
  const transport: Transport = {
    clock,
    lifecycle,
    connect(_request, handlers) {
      const attempt: Attempt = { number: attempts.length, handlers, live: true }
      attempts.push(attempt)
      return () => {
        attempt.live = false
      }
    },
  }
  const controller = new AbortController()
  const source = createEventSource('/events', {
    transport,
    signal: controller.signal,
    pauseWhenHidden: true,
    maxAttempts: 4,
    headers: async () => ({}),
  })
  const heard: { readonly number: number; readonly live: boolean }[] = []
  const listen = () =>
    source.on('note', (data) => {
      const number = data as number
      heard.push({ number, live: attempts[number]?.live === true })
    })
  const offs: (() => void)[] = []
  const live = () => attempts.filter((attempt) => attempt.live)
  return { clock, lifecycle, attempts, controller, source, heard, listen, offs, live }
}
type World = ReturnType<typeof createWorld>

interface Step {
  readonly name: string
  readonly run: (world: World) => unknown
  /** Whether the app asks for a connection. */
  readonly asks?: boolean
}
const step = (name: string, run: Step['run'], asks = false): Step => ({ name, run, asks })
const signals = ['online', 'offline', 'freeze', 'pagehide', 'resume', 'pageshow'] as const

const end = (attempt: Attempt | undefined, error: ConnectionError): void => {
  if (attempt === undefined) return
  attempt.live = false
  attempt.handlers.end(error)
}
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant(step('open()', ({ source }) => source.open(), true)),
  fc.constant(step('close()', ({ source }) => source.close())),
  fc.constant(step('reconnect()', ({ source }) => source.reconnect(), true)),
  fc.constant(step('listen', ({ offs, listen }) => offs.push(listen()), true)),
  fc.constant(step('leave', ({ offs }) => offs.pop()?.())),
  fc.constant(step('the server accepts', ({ live }) => live().at(-1)?.handlers.open())),
  fc.constant(
    step('the server says sse.open', ({ live }) =>
      live()
        .at(-1)
        ?.handlers.event(control('sse.open', { heartbeat: 15_000, resumed: true, replay: 0 })),
    ),
  ),
  fc.constant(
    step('the server says sse.close', ({ live }) =>
      live()
        .at(-1)
        ?.handlers.event(control('sse.close', { reason: 'x' })),
    ),
  ),
  fc.constant(
    step('the server speaks', ({ live }) => {
      const attempt = live().at(-1)
      attempt?.handlers.event({ event: 'note', data: JSON.stringify(attempt.number), id: 'x' })
      if (attempt?.live) attempt.handlers.flush('x')
    }),
  ),
  fc
    .constantFrom(204, 200, 401, 404, 503)
    .map((status) =>
      step(`the attempt ends: ${status}`, ({ live }) =>
        end(live().at(-1), new ConnectionError(status === 200 ? 'network' : 'http', '', { status })),
      ),
    ),
  fc.nat().map((n) =>
    step(`a late callback ${n}`, ({ attempts }) => {
      const dead = attempts.filter((attempt) => !attempt.live)
      const attempt = dead[n % Math.max(dead.length, 1)]
      attempt?.handlers.open()
      attempt?.handlers.event({ event: 'note', data: JSON.stringify(attempt.number), id: 'late' })
      attempt?.handlers.flush('late')
      attempt?.handlers.end(new ConnectionError('network', 'late'))
    }),
  ),
  fc.constantFrom(...signals).map((signal) => step(signal, ({ lifecycle }) => lifecycle.signal(signal))),
  fc.boolean().map((shown) => step(shown ? 'visible' : 'hidden', ({ lifecycle }) => lifecycle.show(shown))),
  fc
    .constantFrom(1, 500, 1_000, 15_000, 40_000)
    .map((ms) => step(`${ms} ms pass`, ({ clock }) => clock.advance(ms))),
  fc.constantFrom(1_000, 60_000).map((ms) => step(`${ms} ms of sleep`, ({ clock }) => clock.sleep(ms))),
)

describe('whatever happens in whatever order', () => {
  it('there is at most one connection, none while paused or closed, and nothing left at the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 60, size: 'max' }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (script, chance) => {
          const world = createWorld(() => chance)
          const { source, attempts, live, heard, clock, lifecycle } = world
          for (const { run, asks } of script) {
            const before = source.getState()
            const asked = attempts.length
            await run(world)
            await clock.settle()
            const { status, previous } = source.getState()
            expect(live().length).toBeLessThanOrEqual(1)
            if (status !== 'connecting' && status !== 'open') expect(live()).toEqual([])
            if (status === 'open') expect(live()).toHaveLength(1)
            if (before.status === 'closed' && !asks) expect(source.getState()).toBe(before)
            if (status === 'paused' && before.status === 'paused') expect(attempts).toHaveLength(asked)
            if (status === 'closed' || status === 'failed') expect(lifecycle.listeners).toBe(0)
            if (status === 'closed') expect(clock.pending).toBe(0)
            expect(previous === undefined).toBe(before.previous === undefined && status === 'idle')
            expect(source.cursor).not.toBe('late')
          }
          expect(heard.filter((event) => !event.live)).toEqual([])
          for (const off of world.offs) off()
          source.close()
          expect(clock.pending).toBe(0)
          expect(lifecycle.listeners).toBe(0)
          const asked = attempts.length
          for (const signal of signals) lifecycle.signal(signal)
          for (const shown of [false, true]) lifecycle.show(shown)
          await clock.advance(3_600_000)
          expect(attempts).toHaveLength(asked)
          expect(source.getState().status).toBe('closed')
        },
      ),
      { numRuns: 500 },
    )
  }, 60_000)

  it('no two attempts begin within a second, unless the app asks or a 401 is answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 60, size: 'max' }), async (script) => {
        const world = createWorld(() => 0)
        const { clock, attempts, source, live } = world
        source.open()
        await clock.settle()
        let last = Number.NEGATIVE_INFINITY
        for (const { run, asks, name } of script) {
          if (asks || name === 'close()' || name === 'leave' || name === 'the attempt ends: 401') continue
          const asked = attempts.length
          const began = clock.now()
          await run(world)
          await clock.settle()
          if (attempts.length > asked) {
            const span = clock.now() - began
            expect(attempts.length - asked).toBeLessThanOrEqual(1 + Math.floor(span / 1_000))
            if (span === 0) expect(began - last).toBeGreaterThanOrEqual(1_000)
            last = clock.now() - span
          }
          expect(live().length).toBeLessThanOrEqual(1)
        }
        source.close()
      }),
      { numRuns: 200 },
    )
  }, 60_000)
})
