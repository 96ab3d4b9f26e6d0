import { describe, expect, it } from 'vitest'
import { type Clock, createEventSource } from '../src/index.ts'
import { createScriptedTransport } from './scripted-transport.ts'

async function watch(heartbeat: number) {
  const transport = createScriptedTransport()
  const { clock, lifecycle } = transport
  const source = createEventSource('/events', { transport })
  source.open()
  await clock.settle()
  const { handlers, control } = transport.last
  handlers.open()
  control('sse.open', { heartbeat, resumed: false, replay: 0 })
  /** What a stream is in a word. */
  const state = (): string => {
    const { status, stale, error } = source.getState()
    return stale ? 'stale' : (error?.kind ?? status)
  }
  return { clock, lifecycle, handlers, source, state }
}

describe('the watchdog', () => {
  it('says stale after one and a half heartbeats, lost after two and a half', async () => {
    const { clock, state, source } = await watch(10_000)
    await clock.advance(14_999)
    expect(state()).toBe('open')
    await clock.advance(1)
    expect(state()).toBe('stale')
    await clock.advance(9_999)
    expect(state()).toBe('stale')
    const states: unknown[] = []
    source.onError(({ kind, message }) => states.push(kind, message))
    await clock.advance(1)
    expect(states).toEqual(['stale', 'Silent for 25000 ms.'])
  })
  it('begins anew with everything that is heard', async () => {
    const { clock, handlers, state } = await watch(10_000)
    for (let n = 0; n < 100; n += 1) {
      await clock.advance(14_000)
      handlers.flush('')
      expect(state()).toBe('open')
    }
  })
  it('watches nothing where no heartbeat is promised', async () => {
    const { clock, lifecycle, state } = await watch(0)
    lifecycle.signal('pageshow')
    await clock.advance(1e9)
    expect(state()).toBe('open')
    expect(clock.pending).toBe(0)
  })
  it('gives a machine that slept the time to read what came meanwhile', async () => {
    const { clock, state, source } = await watch(10_000)
    clock.sleep(3_600_000)
    await clock.advance(0)
    expect(state()).toBe('stale')
    await clock.advance(1_999)
    expect(state()).toBe('stale')
    const messages: string[] = []
    source.onError(({ message }) => messages.push(message))
    await clock.advance(1)
    expect(messages).toEqual(['Silent for 3602000 ms.'])
  })
  it('looks at once when the page is back, and lets what slept be read', async () => {
    const { clock, lifecycle, handlers, state } = await watch(10_000)
    clock.sleep(3_600_000)
    lifecycle.signal('resume')
    expect(state()).toBe('stale')
    handlers.flush('')
    expect(state()).toBe('open')
  })
  it('judges anew where the clock was set back, instead of waiting for it to come round', async () => {
    const { clock, lifecycle, source, state } = await watch(10_000)
    clock.sleep(-3_600_000)
    lifecycle.signal('resume')
    await clock.advance(24_999)
    expect(state()).toBe('stale')
    await clock.advance(1)
    expect(source.getState().status).toBe('retrying')
  })
  it('sets no timer for a listener that closes the stale stream', async () => {
    const { clock, source, state } = await watch(10_000)
    source.subscribe(() => {
      if (source.getState().stale) source.close()
    })
    await clock.advance(15_000)
    expect(state()).toBe('closed')
    expect(clock.pending).toBe(0)
  })
  it('watches a stream that has said nothing yet by the heartbeat of the one before: it may be half open', async () => {
    const transport = createScriptedTransport()
    const { clock } = transport
    const source = createEventSource('/events', { transport })
    source.open()
    await clock.settle()
    transport.last.handlers.open()
    transport.last.control('sse.open', { heartbeat: 10_000, resumed: false, replay: 0 }, 'e-1')
    transport.last.end()
    await clock.advance(2_000)
    transport.last.handlers.open()
    await clock.advance(1_000)
    expect(source.getState()).toMatchObject({ status: 'open', continuity: 'gap' })
    const lost: string[] = []
    source.onError(({ kind }) => lost.push(kind))
    await clock.advance(25_000)
    expect(lost).toEqual(['stale'])
  })
  it('notices a dead stream also where timers come once a minute, as those of a hidden page do', async () => {
    const transport = createScriptedTransport()
    const { clock, connect, lifecycle } = transport
    const seldom: Clock = {
      ...clock,
      after: (milliseconds, callback) =>
        clock.after(Math.ceil((clock.now() + milliseconds) / 60_000) * 60_000 - clock.now(), callback),
    }
    const source = createEventSource('/events', { transport: { connect, lifecycle, clock: seldom } })
    const lost: string[] = []
    source.onError(({ kind }) => lost.push(kind))
    source.open()
    await clock.settle()
    transport.last.handlers.open()
    transport.last.control('sse.open', { heartbeat: 15_000, resumed: false, replay: 0 })
    await clock.advance(600_000)
    expect(lost[0]).toBe('stale')
  })
})
