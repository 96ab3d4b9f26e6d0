import { cleanup, configure } from '@testing-library/react'
import { afterEach, beforeEach, expect, type MockInstance, vi } from 'vitest'

// Real connections are waited for, with real backoff.
configure({ asyncUtilTimeout: 10_000 })

let complaints: MockInstance

// What React complains of (hydration, snapshots that are not cached, …) is a failure.
beforeEach(() => {
  complaints = vi.spyOn(console, 'error')
})
afterEach(() => {
  cleanup()
  expect(complaints.mock.calls).toEqual([])
  vi.restoreAllMocks()
})
