import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../src/errors.ts'
import { type ConnectionEvent, initialState, transition, transitions } from '../src/machine.ts'
import type { ConnectionState, Status } from '../src/state.ts'
import { describeMachine } from './machine-diagram.ts'

const error = new ConnectionError('network', 'gone')
const events: { readonly [T in ConnectionEvent['type']]: ConnectionEvent & { type: T } } = {
  open: { type: 'open', attempt: 1 },
  due: { type: 'due', attempt: 2 },
  reconnect: { type: 'reconnect', attempt: 1 },
  refresh: { type: 'refresh', attempt: 1 },
  opened: { type: 'opened', since: 1_000, continuity: 'fresh', stale: false },
  assess: { type: 'assess', continuity: 'gap', stale: false },
  retry: { type: 'retry', attempt: 2, retryAt: 3_000, error },
  pause: { type: 'pause', cause: 'offline' },
  release: { type: 'release' },
  close: { type: 'close', by: 'client', reason: 'done' },
  fail: { type: 'fail', error },
}
const apply = (...steps: readonly ConnectionEvent[]): ConnectionState =>
  steps.reduce(transition, initialState)
const states: { readonly [S in Status]: ConnectionState } = {
  idle: initialState,
  connecting: apply(events.open),
  open: apply(events.open, events.opened),
  retrying: apply(events.open, events.retry),
  paused: apply(events.pause),
  closed: apply(events.close),
  failed: apply(events.open, events.fail),
}
const keys = Object.keys(initialState).sort()
const statuses = Object.keys(states) as Status[]
const names = Object.keys(events) as ConnectionEvent['type'][]

/** The whole machine, once more and by hand. Where a status has no line for an event, it stays as it is. */
const expected: { readonly [S in Status]: Readonly<Partial<Record<ConnectionEvent['type'], Status>>> } = {
  idle: { open: 'connecting', pause: 'paused', release: 'idle', close: 'closed' },
  connecting: {
    opened: 'open',
    refresh: 'connecting',
    reconnect: 'connecting',
    retry: 'retrying',
    pause: 'paused',
    release: 'idle',
    close: 'closed',
    fail: 'failed',
  },
  open: {
    assess: 'open',
    refresh: 'connecting',
    reconnect: 'connecting',
    retry: 'retrying',
    pause: 'paused',
    release: 'idle',
    close: 'closed',
    fail: 'failed',
  },
  retrying: {
    due: 'connecting',
    reconnect: 'connecting',
    pause: 'paused',
    release: 'idle',
    close: 'closed',
  },
  paused: { due: 'connecting', reconnect: 'connecting', pause: 'paused', release: 'idle', close: 'closed' },
  closed: { open: 'connecting', pause: 'paused' },
  failed: { open: 'connecting', pause: 'paused', release: 'idle', close: 'closed' },
}

describe('the connection machine', () => {
  it('begins idle', () => {
    expect(initialState.status).toBe('idle')
    expect(initialState.previous).toBeUndefined()
  })

  describe.each(statuses)('%s', (status) => {
    it.each(names)('%s', (name) => {
      const before = states[status]
      expect(before.status).toBe(status)
      const after = transition(before, events[name])
      const target = expected[status][name]
      expect(transitions[status][name]).toBe(target)
      if (target === undefined) {
        expect(after).toBe(before)
        return
      }
      expect(after.status).toBe(target)
      expect(Object.keys(after).sort()).toEqual(keys)
      if (after !== before && target !== 'open') expect(after.previous).toBe(status)
    })
  })

  it('carries what the state means, and nothing of another state', () => {
    expect(states.connecting).toEqual({ ...initialState, status: 'connecting', previous: 'idle', attempt: 1 })
    expect(states.open).toEqual({
      ...initialState,
      status: 'open',
      previous: 'connecting',
      since: 1_000,
      continuity: 'fresh',
      stale: false,
    })
    expect(states.retrying).toEqual({
      ...initialState,
      status: 'retrying',
      previous: 'connecting',
      attempt: 2,
      retryAt: 3_000,
      error,
    })
    expect(states.paused).toEqual({ ...initialState, status: 'paused', previous: 'idle', cause: 'offline' })
    expect(states.closed).toEqual({
      ...initialState,
      status: 'closed',
      previous: 'idle',
      by: 'client',
      reason: 'done',
    })
    expect(states.failed).toEqual({ ...initialState, status: 'failed', previous: 'connecting', error })
  })

  it('is stale while silent, keeps its previous status meanwhile, and stays the same object where nothing changes', () => {
    const silence: ConnectionEvent = { type: 'assess', stale: true }
    const sound: ConnectionEvent = { type: 'assess', stale: false }
    const stale = transition(states.open, silence)
    expect(stale).toMatchObject({ status: 'open', stale: true, previous: 'connecting', since: 1_000 })
    expect(transition(stale, silence)).toBe(stale)
    expect(transition(states.open, sound)).toBe(states.open)
    expect(transition(stale, sound)).toEqual(states.open)
    expect(transition(states.open, { ...sound, continuity: 'fresh' })).toBe(states.open)
    expect(transition(states.open, { ...sound, continuity: 'gap' }).continuity).toBe('gap')
    expect(transition(states.paused, events.pause)).toBe(states.paused)
  })

  it('is drawn in MACHINE.md', async () => {
    await expect(describeMachine()).toMatchFileSnapshot('../MACHINE.md')
  })
})
