import { describe, expect, it, vi } from 'vitest'
import { createEventReducer, createEventSource, shareEventSource } from '../src/index.ts'

describe('creating a source, as a server does that renders a page', () => {
  it('touches nothing of the environment: no request, no timer, no listener', () => {
    const touched = vi.fn()
    const names = [
      'fetch',
      'setTimeout',
      'addEventListener',
      'EventSource',
      'document',
      'navigator',
      'location',
    ]
    const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
    for (const name of names) {
      Object.defineProperty(globalThis, name, {
        configurable: true,
        get: () => {
          touched(name)
          return undefined
        },
      })
    }
    try {
      const source = createEventSource('/events', { headers: () => ({}) })
      createEventReducer(source, { initial: 0, reduce: {} })
      shareEventSource('/rendered')
      expect(source.getState().status).toBe('idle')
      expect(source.getLatest()).toEqual({})
      expect(source.cursor).toBe('')
    } finally {
      for (const [name, descriptor] of before) {
        if (descriptor === undefined) Reflect.deleteProperty(globalThis, name)
        else Object.defineProperty(globalThis, name, descriptor)
      }
    }
    expect(touched).not.toHaveBeenCalled()
  })
})
