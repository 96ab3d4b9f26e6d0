import { afterEach, beforeEach, expect, type MockInstance, vi } from 'vitest'

// Node's fetch is loaded with its first use, and takes some of them then.
await fetch('data:,')
/** What Node has and React Native lacks. */
const foreign = ['BroadcastChannel', 'CustomEvent', 'Event', 'EventSource', 'EventTarget', 'MessageEvent']
for (const name of foreign) Reflect.deleteProperty(globalThis, name)

let complaints: MockInstance
beforeEach(() => {
  complaints = vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => {
  const others = complaints.mock.calls.filter(
    ([text]) => !/react-test-renderer is deprecated/.test(String(text)),
  )
  vi.restoreAllMocks()
  expect(others).toEqual([])
})
